-- The provider refused the content or the input, in a complete answer: no video is made and nothing is paid for it, so the expected cost is taken
-- off the day's budget and the job ends, refunded. Only the claim that submitted it ends it. True when it did.
create or replace function record_submission_rejected(
  p_submission_id bigint, p_leased_by text, p_error_code text, p_error_message text, p_detail text)
returns boolean language plpgsql security definer set search_path = internal, public, pg_temp as $$
declare
  v_submission job_submissions;
  v_job video_jobs;
begin
  v_job := lock_job((select s.job_id from job_submissions s where s.id = p_submission_id));
  update job_submissions set outcome = 'refused', answered_at = clock_timestamp(),
    detail = case when v_job.deleted_at is null then left(p_detail, 2000) end
  where id = p_submission_id and outcome in ('intended', 'ambiguous') returning * into v_submission;
  if not found then
    return false;
  end if;
  perform release_expected_cost(v_submission);
  if v_job.attempt <> v_submission.attempt or v_job.stage <> 'submitting' or v_job.leased_by is distinct from p_leased_by then
    return false;
  end if;
  perform end_video_job(v_job, p_error_code, p_error_message, false);
  return true;
end
$$;
comment on function record_submission_rejected(bigint, text, text, text, text) is
  'Ends a job whose submission its provider refused for good; takes the expected cost back; true when the job was this claim''s.';
