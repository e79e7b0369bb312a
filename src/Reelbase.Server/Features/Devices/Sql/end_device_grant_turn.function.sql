-- Gives the turn back. Internal to the grant functions. In PL/pgSQL, which keeps its plan: every new device ends a turn.
create or replace function internal.end_device_grant_turn(p_leased_by text) returns void
language plpgsql security definer set search_path = internal, public, pg_temp as $$
begin
  update installation_leases set leased_by = null, lease_until = null
  where name = 'device_grant' and leased_by = p_leased_by;
end
$$;
comment on function internal.end_device_grant_turn(text) is 'Ends the turn that claim_device_grant gave. Internal.';
