-- The places of waiting jobs that somebody watches: each provider's queue is walked once for all of them.
create or replace function list_live_places(p_jobs uuid[]) returns table (job_id uuid, place integer)
language sql stable security definer set search_path = public, pg_temp as $$
  select w.job_id, w.place::integer
  from (select distinct j.provider from video_jobs j where j.job_id = any (p_jobs) and j.stage = 'queued') p
    cross join lateral walk_waiting_line(p.provider) w
  where w.job_id = any (p_jobs)
$$;
comment on function list_live_places(uuid[]) is 'Waiting jobs ahead of each of these (0 is next); none for a job that does not wait.';
