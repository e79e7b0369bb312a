-- Whether the claim token still holds the turn to decide grants; locks the turn until the end of the transaction, so that it cannot change
-- hands meanwhile. Every function that records a step begins with it: a process that was frozen past its turn records nothing.
create or replace function internal.holds_device_grant_turn(p_leased_by text) returns boolean
language plpgsql security definer set search_path = internal, public, pg_temp as $$
begin
  perform 1 from installation_leases
  where name = 'device_grant' and leased_by = p_leased_by and lease_until > clock_timestamp() for no key update;
  return found;
end
$$;
comment on function internal.holds_device_grant_turn(text) is
  'Whether a claim token holds the turn to decide grants, which it then keeps until the end of the transaction. Internal to the grant functions.';
