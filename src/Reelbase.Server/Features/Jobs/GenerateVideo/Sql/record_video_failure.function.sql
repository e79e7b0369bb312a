-- A submission has failed: its provider says so, or the claim that works on it gives it up. It counts for the job only while that submission is
-- the current attempt: attempt 1's failure does not end attempt 2. p_leased_by: the claim, which has to hold the job at stage p_stage; null with
-- a null stage is for a webhook, which needs no claim but comes too late once a video is being fetched. What the provider said and what it cost is
-- kept in any case. Answers failed, ended (finished before, or a video is there), stale (another attempt goes on) or lost (another claim's).
create or replace function record_video_failure(
  p_submission_id bigint, p_leased_by text, p_stage text, p_error_code text, p_error_message text, p_outcome text, p_detail text,
  p_cost_micros bigint, p_unsettled boolean)
returns text language plpgsql security definer set search_path = internal, public, pg_temp as $$
declare
  v_submission job_submissions;
  v_job video_jobs;
begin
  v_job := lock_job((select s.job_id from job_submissions s where s.id = p_submission_id));
  select * into v_submission from job_submissions where id = p_submission_id for no key update;
  if v_job.job_id is null then
    return 'lost';
  elsif p_leased_by is not null and (v_job.leased_by is distinct from p_leased_by or v_job.stage <> p_stage) then
    return case when v_job.stage = 'finished' then 'ended' else 'lost' end;
  end if;
  -- A success that was reported before stays one, and so does what is recorded.
  update job_submissions set outcome = case when p_outcome is not null and outcome in ('intended', 'accepted', 'ambiguous') then p_outcome else outcome end,
    detail = case when v_job.deleted_at is null then left(p_detail, 2000) end, answered_at = coalesce(answered_at, clock_timestamp())
  where id = p_submission_id;
  if v_submission.attempt <> v_job.attempt then
    return 'stale';
  end if;
  if p_cost_micros is not null then
    update video_jobs set provider_cost_micros = p_cost_micros where job_id = v_job.job_id;
  end if;
  if v_job.stage = 'finished' or (p_leased_by is null and v_job.stage = 'fetching') then
    return 'ended';
  elsif p_leased_by is null and v_job.stage = 'queued' then
    -- The provider had said no and now says that it failed: the next attempt goes on.
    return 'stale';
  end if;
  perform end_video_job(v_job, p_error_code, p_error_message, p_unsettled);
  return 'failed';
end
$$;
comment on function record_video_failure(bigint, text, text, text, text, text, text, bigint, boolean) is
  'Takes the failure of a submission; it ends the job only as the current attempt; answers failed, ended, stale or lost.';
