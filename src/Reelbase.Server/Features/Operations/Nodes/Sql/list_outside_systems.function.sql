create or replace function list_outside_systems() returns table (system text, last_success_at timestamptz, last_failure_at timestamptz, last_failure text)
language sql stable security definer set search_path = internal, public, pg_temp as $$
  select o.system, o.last_success_at, o.last_failure_at, o.last_failure from outside_systems o order by o.system
$$;
comment on function list_outside_systems() is
  'What was last heard from each outside system.';
