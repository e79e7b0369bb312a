create or replace function list_nodes() returns table (
  name text, version text, commit_id text, schema text, roles text[], seen_at timestamptz, is_alive boolean, untrusted_peer text)
language sql stable security definer set search_path = internal, public, pg_temp as $$
  select n.name, n.version, n.commit_id, n.schema, n.roles, n.seen_at, n.seen_at > now() - interval '2 minutes', host(n.untrusted_peer)
  from nodes n order by n.seen_at desc limit 200
$$;
comment on function list_nodes() is
  'The processes of the last day, for the command line.';
