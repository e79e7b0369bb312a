-- The same for a user's own job, whose stage and times they cannot read themselves.
create or replace function job_seconds(p_job_id uuid, p_place integer) returns integer
language plpgsql stable security definer set search_path = internal, public, pg_temp as $$
declare
  v_job video_jobs;
begin
  -- By its id alone: asked for what has not finished too, a plan may take the index of those and read every one.
  select * into v_job from video_jobs where job_id = p_job_id;
  return estimate_job_seconds(v_job, p_place);
end
$$;
comment on function job_seconds(uuid, integer) is 'Seconds until a job probably ends; null when it has ended. For get_job_status.';
