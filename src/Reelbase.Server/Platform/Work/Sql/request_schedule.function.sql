create or replace function internal.request_schedule(p_name text, p_request jsonb default null) returns void
language sql security definer set search_path = internal, public, pg_temp as $$
  insert into schedules (name, requested_at, request) values (p_name, clock_timestamp(), p_request)
  on conflict on constraint schedules_pkey do update set requested_at = excluded.requested_at, request = excluded.request
$$;
comment on function internal.request_schedule(text, jsonb) is 'Asks for a scheduled thing now; a worker takes it. Internal to the definer functions.';
