-- Jobs of a user that have not gone out yet end and are refunded; one that is just being handed over goes on, for what was sent cannot be taken back, unless its provider refuses
-- it (record_submission_refused). The user's row is locked by the caller. Answers how many ended.
create or replace function internal.cancel_queued_jobs(p_user_id uuid, p_error_code text, p_error_message text) returns integer
language plpgsql security definer set search_path = internal, public, pg_temp as $$
declare
  v_job_id uuid;
  v_ended integer := 0;
begin
  for v_job_id in select j.job_id from video_jobs j where j.user_id = p_user_id and j.stage = 'queued' order by j.created_at, j.job_id loop
    -- It may have been handed over between the list and its lock.
    if exists (select from video_jobs j where j.job_id = v_job_id and j.stage = 'queued' for no key update) then
      v_ended := v_ended + fail_video_job(v_job_id, null, p_error_code, p_error_message)::integer;
    end if;
  end loop;
  return v_ended;
end
$$;
comment on function internal.cancel_queued_jobs(uuid, text, text) is 'Ends a user''s queued jobs, refunded; how many. Internal to the definer functions.';
