-- Nobody knows whether the provider has the job: it is never submitted again. With a webhook it waits for that until
-- its deadline; without one (p_wait_seconds) nothing can come, so it ends soon.
create or replace function record_submission_ambiguous(
  p_job_id uuid, p_leased_by text, p_detail text, p_wait_seconds integer default null)
returns void language plpgsql security definer set search_path = public, pg_temp as $$
declare
  v_job video_jobs;
begin
  update video_jobs set stage = 'ambiguous', leased_by = null, lease_until = null,
    deadline_at = least(deadline_at, clock_timestamp() + make_interval(secs => p_wait_seconds)),
    run_after = least(deadline_at, clock_timestamp() + make_interval(secs => p_wait_seconds))
  where job_id = p_job_id and leased_by = p_leased_by and stage = 'submitting'
  returning * into v_job;
  update job_submissions set outcome = 'ambiguous', detail = left(p_detail, 2000)
  where job_id = p_job_id and attempt = v_job.attempt and outcome = 'intended';
end
$$;
comment on function record_submission_ambiguous(uuid, text, text, integer) is
  'Marks a submission whose fate is unknown; p_wait_seconds shortens the wait when no webhook can come.';
