-- The same for a user's own job, whose stage and times they cannot read themselves.
create or replace function job_seconds(p_job_id uuid, p_place integer) returns integer
language plpgsql stable security definer set search_path = public, pg_temp as $$
begin
  return (
    select estimate_job_seconds(j, p_place) from video_jobs j where j.job_id = p_job_id and j.stage <> 'finished');
end
$$;
comment on function job_seconds(uuid, integer) is 'Seconds until a job probably ends; null when it has ended. For get_job_status.';
