create or replace function renew_device_grant_turn(p_leased_by text, p_lease_seconds integer) returns boolean
language plpgsql security definer set search_path = internal, public, pg_temp as $$
begin
  if not holds_device_grant_turn(p_leased_by) then
    return false;
  end if;
  update installation_leases set lease_until = clock_timestamp() + make_interval(secs => p_lease_seconds) where name = 'device_grant';
  return true;
end
$$;
comment on function renew_device_grant_turn(text, integer) is
  'Starts the time of a held turn anew, before Apple is asked to change something; false when the turn was lost.';
