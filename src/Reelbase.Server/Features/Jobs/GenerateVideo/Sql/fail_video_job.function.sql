-- Ends a job without a video, whatever its submission: its deadline in the queue is over, it is deleted or cancelled there. p_leased_by null is
-- for those who hold no claim (a deletion, support). What a provider says goes through record_video_failure, which knows the submission.
drop function if exists fail_video_job(uuid, text, text, text);
create or replace function fail_video_job(
  p_job_id uuid, p_leased_by text, p_error_code text, p_error_message text, p_unsettled boolean default false)
returns boolean language plpgsql security definer set search_path = internal, public, pg_temp as $$
declare
  v_job video_jobs := lock_job(p_job_id);
begin
  if v_job.job_id is null or v_job.stage = 'finished' or (p_leased_by is not null and v_job.leased_by is distinct from p_leased_by)
    -- The first final result wins: a report of failure that comes after a success is only a remark.
    or (p_leased_by is null and v_job.stage = 'fetching') then
    return false;
  end if;
  perform end_video_job(v_job, p_error_code, p_error_message, p_unsettled);
  return true;
end
$$;
comment on function fail_video_job(uuid, text, text, text, boolean) is
  'Ends a job as failed and gives back what is left of its charge exactly once; false when it had ended or the claim is another''s.';
