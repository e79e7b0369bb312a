-- Nobody knows whether the provider has the job: it is never submitted again. With a webhook it waits for that until
-- its deadline; without one (p_wait_seconds) nothing can come, so it ends soon. When the answer of the submission came meanwhile (its worker was
-- slow and not dead), it is not ambiguous at all and the job waits for its result.
create or replace function record_submission_ambiguous(
  p_job_id uuid, p_leased_by text, p_detail text, p_wait_seconds integer default null)
returns void language plpgsql security definer set search_path = internal, public, pg_temp as $$
declare
  v_job video_jobs;
  v_is_accepted boolean;
begin
  select * into v_job from video_jobs where job_id = p_job_id and leased_by = p_leased_by and stage = 'submitting' for no key update;
  if not found then
    return;
  end if;
  v_is_accepted := submission_is_accepted(p_job_id, v_job.attempt);
  update video_jobs set stage = case when v_is_accepted then 'submitted' else 'ambiguous' end, leased_by = null, lease_until = null, stalled_claims = 0,
    deadline_at = case when v_is_accepted then deadline_at else least(deadline_at, clock_timestamp() + make_interval(secs => p_wait_seconds)) end,
    run_after = case when v_is_accepted then clock_timestamp() else least(deadline_at, clock_timestamp() + make_interval(secs => p_wait_seconds)) end
  where job_id = p_job_id;
  update job_submissions set outcome = 'ambiguous', detail = left(p_detail, 2000)
  where job_id = p_job_id and attempt = v_job.attempt and outcome = 'intended';
end
$$;
comment on function record_submission_ambiguous(uuid, text, text, integer) is
  'Marks a submission whose fate is unknown; p_wait_seconds shortens the wait when no webhook can come.';
