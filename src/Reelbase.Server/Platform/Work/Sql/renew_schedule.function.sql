-- A portion of a scheduled run is done: the lease goes on and whoever follows a dead node begins after it. False: the lease is somebody
-- else's by now, and the run has to stop.
create or replace function renew_schedule(p_name text, p_leased_by text, p_lease_seconds integer, p_progress jsonb) returns boolean
language plpgsql security definer set search_path = internal, public, pg_temp as $$
begin
  update schedules set lease_until = clock_timestamp() + make_interval(secs => p_lease_seconds),
    progress = p_progress || jsonb_build_object('saved_at', to_json_time(clock_timestamp()))
  where name = p_name and leased_by = p_leased_by;
  return found;
end
$$;
comment on function renew_schedule(text, text, integer, jsonb) is 'Prolongs a scheduled run and keeps its progress; false when its lease was lost.';
