-- The provider took the job. Its id is a fact worth keeping whoever holds the job by now: a rescuer may have called this attempt ambiguous, or its
-- webhook was quicker than its answer. The job itself is moved only when it is this claim's or nobody's: what another claim does with it is
-- that claim's, which finds the id on the submission when it is done (reschedule_video_job, record_submission_ambiguous).
-- Where no webhook can come an ambiguous submission waits shortly; accepted after all, its job has its whole time again.
create or replace function record_submission_accepted(
  p_submission_id bigint, p_leased_by text, p_provider_job_id text, p_status_url text, p_result_url text,
  p_cancel_url text, p_poll_after_seconds double precision)
returns void language plpgsql security definer set search_path = internal, public, pg_temp as $$
declare
  v_submission job_submissions;
begin
  -- The job first and its submission second, as everywhere: two orders would deadlock.
  perform 1 from video_jobs where job_id = (select s.job_id from job_submissions s where s.id = p_submission_id) for no key update;
  update job_submissions set provider_job_id = p_provider_job_id, status_url = p_status_url, result_url = p_result_url,
    cancel_url = p_cancel_url, answered_at = clock_timestamp(),
    outcome = case when outcome in ('intended', 'ambiguous') then 'accepted' else outcome end
  where id = p_submission_id returning * into v_submission;
  update video_jobs set provider_job_id = p_provider_job_id
  where job_id = v_submission.job_id and attempt = v_submission.attempt and stage <> 'finished';
  update video_jobs set stage = 'submitted', leased_by = null, lease_until = null, stalled_claims = 0,
    deadline_at = greatest(deadline_at, v_submission.deadline_at),
    run_after = least(greatest(deadline_at, v_submission.deadline_at), clock_timestamp() + make_interval(secs => case when cancel_requested_at is null then p_poll_after_seconds else 0 end))
  where job_id = v_submission.job_id and attempt = v_submission.attempt and stage in ('submitting', 'ambiguous')
    and (leased_by is null or leased_by = p_leased_by or lease_until < clock_timestamp());
  -- A webhook was quicker: the claim that submitted has nothing left to do.
  update video_jobs set leased_by = null, lease_until = null
  where job_id = v_submission.job_id and stage <> 'finished' and leased_by = p_leased_by;
end
$$;
comment on function record_submission_accepted(bigint, text, text, text, text, text, double precision) is
  'Stores the provider''s id and addresses for a submission and lets the job, unless it is another claim''s, wait for its result.';
