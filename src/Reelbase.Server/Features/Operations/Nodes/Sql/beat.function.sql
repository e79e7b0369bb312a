-- compatibility: the previous release's nodes call this; goes in the next release
create or replace function beat(p_name text, p_version text, p_roles text[], p_started_at timestamptz) returns void
language sql security definer set search_path = internal, public, pg_temp as $$
  select record_heartbeat(p_name, p_version, p_roles, p_started_at, '{}')
$$;
comment on function beat(text, text, text[], timestamptz) is
  'record_heartbeat without details, for nodes of the previous release.';
