-- How many waiting jobs will be served before this one at its provider, from 0; null when it is not waiting.
create or replace function queue_position(p_job_id uuid) returns integer
language sql stable security definer set search_path = public, pg_temp as $$
  select (select w.place::integer from walk_waiting_line(j.provider) w where w.job_id = j.job_id)
  from video_jobs j where j.job_id = p_job_id and j.stage = 'queued'
$$;
comment on function queue_position(uuid) is 'Waiting jobs ahead of this one at its provider (0 is next); null when not waiting.';
