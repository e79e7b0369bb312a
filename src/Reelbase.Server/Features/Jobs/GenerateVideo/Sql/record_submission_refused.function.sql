-- The provider gave a complete answer that means "not accepted", or the request never left: the job goes back into the
-- queue and may be submitted again. It keeps its deadline there, alternates with what is new when it is due, and costs nothing. Only the claim that submitted it moves it.
create or replace function record_submission_refused(
  p_submission_id bigint, p_leased_by text, p_detail text, p_retry_after_seconds double precision, p_queue_deadline_seconds integer)
returns void language plpgsql security definer set search_path = internal, public, pg_temp as $$
declare
  v_submission job_submissions;
  v_job video_jobs;
begin
  v_job := lock_job((select s.job_id from job_submissions s where s.id = p_submission_id));
  update job_submissions set outcome = 'refused', answered_at = clock_timestamp(),
    detail = case when v_job.deleted_at is null then left(p_detail, 2000) end
  where id = p_submission_id and outcome in ('intended', 'ambiguous') returning * into v_submission;
  if not found then
    return;
  end if;
  perform release_expected_cost(v_submission);
  if v_job.attempt <> v_submission.attempt or v_job.stage <> 'submitting' or v_job.leased_by is distinct from p_leased_by then
    return;
  elsif v_job.deleted_at is not null then
    -- Deleted while the provider said no: nothing was made, so the credits go back.
    perform end_video_job(v_job, null, null, false);
    return;
  elsif v_job.cancel_requested_at is not null then
    -- Cancelled while the provider said no: it is not handed over again.
    perform end_video_job(v_job, 'ERR_5002', 'The video was cancelled.', false);
    return;
  elsif age_refusal(v_job.user_id) is not null then
    perform end_video_job(v_job, 'ERR_4014', 'The declared age no longer allowed it before the video was begun.', false);
    return;
  elsif consent_was_taken_back(v_job.user_id, v_job.created_at) then
    perform end_video_job(v_job, 'ERR_4013', 'The consent was taken back before the video was begun.', false);
    return;
  end if;
  update video_jobs set stage = 'queued', status = 'pending', leased_by = null, lease_until = null, stalled_claims = 0,
    deadline_at = created_at + make_interval(secs => p_queue_deadline_seconds),
    run_after = clock_timestamp() + make_interval(secs => p_retry_after_seconds)
  where job_id = v_job.job_id;
end
$$;
comment on function record_submission_refused(bigint, text, text, double precision, integer) is
  'Puts a job back into the queue after its provider clearly did not accept it.';
