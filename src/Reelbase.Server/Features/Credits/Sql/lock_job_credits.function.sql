-- A job, locked after its user, with what it took and gave back filled in also when the migration has not reached it yet.
create or replace function internal.lock_job_credits(p_job_id uuid) returns video_jobs
language plpgsql security definer set search_path = internal, public, pg_temp as $$
declare
  v_job video_jobs := lock_job(p_job_id);
begin
  if v_job.credits_charged = 0 and not v_job.paid_by_house then
    perform refresh_job_credits(p_job_id);
    select * into v_job from video_jobs where job_id = p_job_id;
  end if;
  return v_job;
end
$$;
comment on function internal.lock_job_credits(uuid) is 'A job''s row, locked after its user''s, with its credits filled in. Internal to the definer functions.';
