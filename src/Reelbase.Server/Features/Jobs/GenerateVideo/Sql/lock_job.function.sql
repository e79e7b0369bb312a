-- A job, locked as everywhere: the user row first and the job second, since two orders would deadlock. Nulls when there is none.
create or replace function internal.lock_job(p_job_id uuid) returns video_jobs
language plpgsql security definer set search_path = internal, public, pg_temp as $$
declare
  v_job video_jobs;
begin
  perform lock_account((select j.user_id from video_jobs j where j.job_id = p_job_id));
  select * into v_job from video_jobs where job_id = p_job_id for no key update;
  return v_job;
end
$$;
comment on function internal.lock_job(uuid) is 'A job''s row, locked after its user''s. Internal to the definer functions.';
