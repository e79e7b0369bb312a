-- A submission has its video. It counts for the job only while that submission is the current attempt, and the first final result wins.
-- p_leased_by: the claim that polled, which has to hold the job at stage submitted; null is for a webhook. p_cost_micros: what the provider says
-- it cost; null: what we expected. Answers fetching (download it), discarded (the job was deleted: it ends unseen and stays charged), late (the
-- job had failed and was refunded: recorded with its cost for support, not delivered), unmatched (the event is another submission's), stale
-- (another attempt goes on: recorded as late) or ignored (finished, or fetching already, or another claim's).
create or replace function record_video_success(
  p_submission_id bigint, p_leased_by text, p_provider_job_id text, p_result_url text, p_cost_micros bigint)
returns text language plpgsql security definer set search_path = internal, public, pg_temp as $$
declare
  v_submission job_submissions;
  v_job video_jobs;
  v_cost bigint;
begin
  -- The job first and its submission second, as everywhere: two orders would deadlock. No credits move here, so the user row is not needed.
  select * into v_job from video_jobs where job_id = (select s.job_id from job_submissions s where s.id = p_submission_id) for no key update;
  select * into v_submission from job_submissions where id = p_submission_id for no key update;
  if v_job.job_id is null then
    return 'ignored';
  elsif not event_belongs_to(v_submission, p_provider_job_id) then
    return 'unmatched';
  end if;
  v_cost := coalesce(p_cost_micros, v_submission.expected_cost_micros);
  if v_submission.attempt <> v_job.attempt or v_job.stage = 'queued' or (v_job.stage = 'finished' and v_job.status = 'failed') then
    update job_submissions set outcome = 'late_success', settle_after = null, provider_job_id = coalesce(provider_job_id, p_provider_job_id),
      detail = case when v_job.stage = 'finished' then 'a video came after the job had ended' else 'a video came after this attempt had been given up' end
    where id = p_submission_id and outcome <> 'late_success';
    if not found then
      return 'ignored';
    elsif v_submission.attempt <> v_job.attempt or v_job.stage = 'queued' then
      return 'stale';
    end if;
    update video_jobs set provider_cost_micros = v_cost where job_id = v_job.job_id;
    return 'late';
  elsif v_job.stage in ('finished', 'fetching') or (p_leased_by is not null and (v_job.stage <> 'submitted' or v_job.leased_by is distinct from p_leased_by)) then
    return 'ignored';
  end if;
  update job_submissions set outcome = 'succeeded', provider_job_id = coalesce(provider_job_id, p_provider_job_id),
    answered_at = coalesce(answered_at, clock_timestamp())
  where id = p_submission_id;
  if v_job.deleted_at is not null then
    update video_jobs set stage = 'finished', status = 'completed', completed_at = clock_timestamp(),
      provider_job_id = coalesce(provider_job_id, p_provider_job_id), provider_cost_micros = v_cost,
      prompt = '', settings = '{}', image_url = null, leased_by = null, lease_until = null
    where job_id = v_job.job_id;
    return 'discarded';
  end if;
  -- A webhook takes the row from a claim that may be polling; that claim's late record finds it gone.
  update video_jobs set stage = 'fetching', result_url = p_result_url, provider_cost_micros = v_cost, stalled_claims = 0,
    provider_job_id = coalesce(provider_job_id, p_provider_job_id), run_after = clock_timestamp(),
    -- The provider has done its part: what remains is our own download, which gets its own time.
    deadline_at = greatest(deadline_at, clock_timestamp() + interval '5 minutes'),
    leased_by = p_leased_by, lease_until = case when p_leased_by is null then null else lease_until end
  where job_id = v_job.job_id;
  return 'fetching';
end
$$;
comment on function record_video_success(bigint, text, text, text, bigint) is
  'Takes a submission''s video, once and for the current attempt; answers fetching, discarded, late, unmatched, stale or ignored.';
