-- The provider gave a complete answer that means "not accepted", or the request never left: the job goes back to the
-- line and may be submitted again. It keeps its place and its deadline in the line, and costs nothing.
create or replace function record_submission_refused(
  p_submission_id bigint, p_leased_by text, p_detail text, p_retry_after_seconds double precision, p_queue_deadline_seconds integer)
returns void language plpgsql security definer set search_path = public, pg_temp as $$
declare
  v_submission job_submissions;
begin
  -- The job first and its submission second, as everywhere: two orders would deadlock.
  perform 1 from video_jobs where job_id = (select s.job_id from job_submissions s where s.id = p_submission_id) for no key update;
  update job_submissions set outcome = 'refused', answered_at = clock_timestamp(),
    detail = case when exists (select from video_jobs j where j.job_id = job_submissions.job_id and j.deleted_at is not null)
      then null else left(p_detail, 2000) end
  where id = p_submission_id and outcome in ('intended', 'ambiguous') returning * into v_submission;
  update provider_spend set micros = greatest(0, micros - v_submission.expected_cost_micros)
  where provider = v_submission.provider and day = (v_submission.created_at at time zone 'UTC')::date;
  update video_jobs set stage = 'queued', status = 'pending', leased_by = null, lease_until = null,
    deadline_at = created_at + make_interval(secs => p_queue_deadline_seconds),
    run_after = clock_timestamp() + make_interval(secs => p_retry_after_seconds)
  where job_id = v_submission.job_id and attempt = v_submission.attempt and leased_by = p_leased_by and stage = 'submitting'
    and deleted_at is null;
  -- Deleted while the provider said no: nothing was made, so the credits go back.
  perform fail_video_job(j.job_id, j.leased_by, null, null) from video_jobs j
  where j.job_id = v_submission.job_id and j.attempt = v_submission.attempt and j.leased_by = p_leased_by
    and j.stage = 'submitting' and j.deleted_at is not null;
end
$$;
comment on function record_submission_refused(bigint, text, text, double precision, integer) is
  'Puts a job back into the waiting line after its provider clearly did not accept it.';
