-- A process says that it lives; those not heard of for a day are forgotten.
create or replace function beat(p_name text, p_version text, p_roles text[], p_started_at timestamptz) returns void
language plpgsql security definer set search_path = public, pg_temp as $$
begin
  insert into nodes (name, version, roles, started_at, seen_at) values (p_name, p_version, p_roles, p_started_at, clock_timestamp())
  on conflict on constraint nodes_pkey do update set seen_at = clock_timestamp(), version = excluded.version, roles = excluded.roles;
  delete from nodes where seen_at < clock_timestamp() - interval '1 day';
end
$$;
comment on function beat(text, text, text[], timestamptz) is
  'Notes that a process lives.';
