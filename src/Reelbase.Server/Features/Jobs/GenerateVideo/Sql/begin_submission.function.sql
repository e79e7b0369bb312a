-- Records that a job is about to be handed to its provider, before the call: from here on a crash leaves a row that
-- says so. The webhook token is made here, handed out once and kept as a hash. What the job will cost us counts against the
-- provider's day at once. No row: the job is no longer ours to submit.
create or replace function begin_submission(p_job_id uuid, p_leased_by text, p_deadline_seconds integer)
returns table (submission_id bigint, attempt integer, webhook_token text)
language plpgsql security definer set search_path = internal, public, pg_temp as $$
#variable_conflict use_column
declare
  v_job video_jobs;
  v_cost bigint;
begin
  update video_jobs j set stage = 'submitting', status = 'processing', attempt = j.attempt + 1, stalled_claims = 0,
    submitted_at = clock_timestamp(),
    deadline_at = clock_timestamp() + make_interval(secs => p_deadline_seconds)
  where j.job_id = p_job_id and j.leased_by = p_leased_by and j.stage = 'queued' and j.deleted_at is null
    and not submissions_are_held()
  returning j.* into v_job;
  if not found then
    return;
  end if;
  -- Two random uuids carry 244 random bits.
  webhook_token := replace(gen_random_uuid()::text || gen_random_uuid()::text, '-', '');
  v_cost := estimate_provider_cost(v_job.model_id, v_job.settings);
  insert into job_submissions (job_id, user_id, provider, attempt, expected_cost_micros, webhook_token_hash, deadline_at)
  values (p_job_id, v_job.user_id, v_job.provider, v_job.attempt, v_cost, sha256(convert_to(webhook_token, 'UTF8')), v_job.deadline_at)
  returning id into submission_id;
  insert into provider_spend as p (provider, day, micros) values (v_job.provider, (clock_timestamp() at time zone 'UTC')::date, v_cost)
  on conflict on constraint provider_spend_pkey do update set micros = p.micros + excluded.micros;
  attempt := v_job.attempt;
  return next;
end
$$;
comment on function begin_submission(uuid, text, integer) is
  'Moves a leased job to submitting and records the attempt; answers its id and the webhook token, or no row.';
