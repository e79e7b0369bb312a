-- Gives the turn back. Internal to the grant functions.
create or replace function end_device_grant_turn(p_leased_by text) returns void
language sql security definer set search_path = public, pg_temp as $$
  update installation_leases set leased_by = null, lease_until = null
  where name = 'device_grant' and leased_by = p_leased_by
$$;
comment on function end_device_grant_turn(text) is 'Ends the turn that claim_device_grant gave. Internal.';
