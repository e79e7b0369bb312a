-- How many waiting jobs will be served before this one at its provider, from 0; null when it is not waiting.
create or replace function queue_position(p_job_id uuid) returns integer
language plpgsql stable security definer set search_path = public, pg_temp as $$
declare
  v_provider text;
begin
  select j.provider into v_provider from video_jobs j where j.job_id = p_job_id and j.stage = 'queued';
  if not found then
    return null;
  end if;
  return (select w.place::integer from walk_waiting_line(v_provider) w where w.job_id = p_job_id);
end
$$;
comment on function queue_position(uuid) is 'Waiting jobs ahead of this one at its provider (0 is next); null when not waiting.';
