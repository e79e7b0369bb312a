-- The retry that is in flight of the same job as this one is, or is a retry of.
create or replace function internal.find_running_retry(p_job_id uuid) returns uuid
language sql stable security definer set search_path = internal, public, pg_temp as $$
  with recursive up as (
    select j.job_id, j.retry_of, j.user_id from video_jobs j where j.job_id = p_job_id
    union all
    select j.job_id, j.retry_of, j.user_id from video_jobs j join up on j.job_id = up.retry_of),
  -- Every retry is its user's, of whom few are in flight: each is followed to where it began.
  running as (
    select j.job_id as id, j.retry_of from video_jobs j
    where j.user_id in (select up.user_id from up) and j.retry_of is not null and j.status in ('pending', 'processing')
    union all
    select r.id, j.retry_of from running r join video_jobs j on j.job_id = r.retry_of)
  select r.id from running r where r.retry_of = (select up.job_id from up where up.retry_of is null) limit 1
$$;
comment on function internal.find_running_retry(uuid) is 'The id of the retry in flight of a job''s original, or null. Internal to admin_retry_job.';
