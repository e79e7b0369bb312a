-- compatibility: the previous release's nodes call this; goes in the next release. record_video_failure and record_submission_rejected keep it now.
-- What the provider said about a submission, for support and never shown to users, and what it says the job has cost.
drop function if exists record_submission_detail(bigint, text, text);
create or replace function record_submission_detail(
  p_submission_id bigint, p_outcome text, p_detail text, p_cost_micros bigint default null)
returns void language sql security definer set search_path = internal, public, pg_temp as $$
  -- The job first and its submission second, as everywhere: two orders would deadlock.
  select 1 from video_jobs where job_id = (select s.job_id from job_submissions s where s.id = p_submission_id) for no key update;
  update job_submissions set outcome = coalesce(p_outcome, outcome),
    -- A provider may repeat what the user wrote: not kept for a job that was deleted.
    detail = case when exists (select from video_jobs j where j.job_id = job_submissions.job_id and j.deleted_at is not null)
      then null else left(p_detail, 2000) end,
    answered_at = coalesce(answered_at, clock_timestamp())
  where id = p_submission_id;
  update video_jobs j set provider_cost_micros = p_cost_micros
  from job_submissions s
  where s.id = p_submission_id and j.job_id = s.job_id and j.attempt = s.attempt and p_cost_micros is not null
$$;
comment on function record_submission_detail(bigint, text, text, bigint) is
  'Keeps what the provider said about a submission, for support, and its cost when that was said.';
