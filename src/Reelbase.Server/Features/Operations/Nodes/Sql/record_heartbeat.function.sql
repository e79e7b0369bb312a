-- A process says that it lives; those not heard of for a day are forgotten. p_details: commit, schema, untrusted_peer, untrusted_peer_at.
drop function if exists beat(text, text, text[], timestamptz, jsonb);
create or replace function record_heartbeat(p_name text, p_version text, p_roles text[], p_started_at timestamptz, p_details jsonb) returns void
language plpgsql security definer set search_path = internal, public, pg_temp as $$
begin
  insert into nodes (name, version, roles, started_at, seen_at, commit_id, schema, untrusted_peer, untrusted_peer_at)
  values (p_name, p_version, p_roles, p_started_at, clock_timestamp(), left(coalesce(p_details ->> 'commit', ''), 40),
    left(coalesce(p_details ->> 'schema', ''), 100), (p_details ->> 'untrusted_peer')::inet, (p_details ->> 'untrusted_peer_at')::timestamptz)
  on conflict on constraint nodes_pkey do update set seen_at = clock_timestamp(), version = excluded.version, roles = excluded.roles,
    commit_id = excluded.commit_id, schema = excluded.schema, untrusted_peer = excluded.untrusted_peer, untrusted_peer_at = excluded.untrusted_peer_at;
  delete from nodes where seen_at < clock_timestamp() - interval '1 day';
end
$$;
comment on function record_heartbeat(text, text, text[], timestamptz, jsonb) is
  'Notes that a process lives, which program it is, and whether somebody forwards to it whom it does not trust.';
