-- The provider took the job. The submission is the fence here and not the lease: the provider's id is a fact worth
-- keeping even when a rescuer has meanwhile called this attempt ambiguous, or its webhook was quicker than its answer.
create or replace function record_submission_accepted(
  p_submission_id bigint, p_leased_by text, p_provider_job_id text, p_status_url text, p_result_url text,
  p_cancel_url text, p_poll_after_seconds double precision)
returns void language plpgsql security definer set search_path = public, pg_temp as $$
declare
  v_submission job_submissions;
begin
  -- The job first and its submission second, as everywhere: two orders would deadlock.
  perform 1 from video_jobs where job_id = (select s.job_id from job_submissions s where s.id = p_submission_id) for no key update;
  update job_submissions set provider_job_id = p_provider_job_id, status_url = p_status_url, result_url = p_result_url,
    cancel_url = p_cancel_url, answered_at = clock_timestamp(),
    outcome = case when outcome in ('intended', 'ambiguous') then 'accepted' else outcome end
  where id = p_submission_id returning * into v_submission;
  update video_jobs set provider_job_id = p_provider_job_id,
    stage = case when stage in ('submitting', 'ambiguous') then 'submitted' else stage end,
    run_after = case when stage in ('submitting', 'ambiguous')
      then least(deadline_at, clock_timestamp() + make_interval(secs => case when cancel_requested_at is null then p_poll_after_seconds else 0 end))
      else run_after end,
    lease_until = case when leased_by = p_leased_by then null else lease_until end,
    leased_by = case when leased_by = p_leased_by then null else leased_by end
  where job_id = v_submission.job_id and attempt = v_submission.attempt and stage <> 'finished';
end
$$;
comment on function record_submission_accepted(bigint, text, text, text, text, text, double precision) is
  'Stores the provider''s id and addresses for a submission and lets the job wait for its result.';
