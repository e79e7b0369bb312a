-- The provider says that the video is ready. The first final result wins. Answers what became of it:
-- fetching (download it), discarded (the job was deleted: it ends unseen and stays charged), late (the job had failed and
-- was refunded: recorded with its cost for support, not delivered) or ignored (finished, or fetching already).
-- p_cost_micros: what the provider says it cost; null: what we expected.
drop function if exists record_video_result(uuid, text, text, text);
create or replace function record_video_result(
  p_job_id uuid, p_provider_job_id text, p_result_url text, p_leased_by text default null, p_cost_micros bigint default null)
returns text language plpgsql security definer set search_path = public, pg_temp as $$
declare
  v_job video_jobs;
  v_cost bigint;
begin
  select * into v_job from video_jobs where job_id = p_job_id for no key update;
  if not found then
    return 'ignored';
  end if;
  v_cost := coalesce(p_cost_micros,
    (select s.expected_cost_micros from job_submissions s where s.job_id = p_job_id and s.attempt = v_job.attempt));
  if v_job.stage = 'finished' then
    update job_submissions set outcome = 'late_success', detail = 'a video came after the job had ended', settle_after = null
    where job_id = p_job_id and attempt = v_job.attempt and v_job.status = 'failed' and outcome <> 'late_success';
    if found then
      update video_jobs set provider_cost_micros = v_cost where job_id = p_job_id;
      return 'late';
    end if;
    return 'ignored';
  elsif exists (select from job_submissions o where o.provider = v_job.provider and o.provider_job_id = p_provider_job_id
      and (o.job_id, o.attempt) <> (p_job_id, v_job.attempt)) then
    -- Another submission's result that was sent to this one's address.
    return 'ignored';
  elsif v_job.stage = 'fetching' or v_job.stage = 'queued' then
    return 'ignored';
  elsif p_leased_by is not null and v_job.leased_by is distinct from p_leased_by then
    return 'ignored';
  end if;
  update job_submissions set outcome = 'succeeded', provider_job_id = coalesce(provider_job_id, p_provider_job_id),
    answered_at = coalesce(answered_at, clock_timestamp())
  where job_id = p_job_id and attempt = v_job.attempt;
  if v_job.deleted_at is not null then
    update video_jobs set stage = 'finished', status = 'completed', completed_at = clock_timestamp(),
      provider_job_id = coalesce(provider_job_id, p_provider_job_id), provider_cost_micros = v_cost,
      prompt = '', settings = '{}', image_url = null, leased_by = null, lease_until = null
    where job_id = p_job_id;
    return 'discarded';
  end if;
  -- A webhook takes the row from a poller that may hold it; that poller's late record finds the lease gone.
  update video_jobs set stage = 'fetching', result_url = p_result_url, provider_cost_micros = v_cost,
    provider_job_id = coalesce(provider_job_id, p_provider_job_id), run_after = clock_timestamp(),
    -- The provider has done its part: what remains is our own download, which gets its own time.
    deadline_at = greatest(deadline_at, clock_timestamp() + interval '5 minutes'),
    leased_by = p_leased_by, lease_until = case when p_leased_by is null then null else lease_until end
  where job_id = p_job_id;
  return 'fetching';
end
$$;
comment on function record_video_result(uuid, text, text, text, bigint) is
  'Takes the first successful result of a job; answers fetching, discarded, late or ignored.';
