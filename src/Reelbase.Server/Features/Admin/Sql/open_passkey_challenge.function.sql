-- Somebody wants to sign in with a passkey. How many challenges an address gets is bounded like its attempts.
create or replace function open_passkey_challenge(p_hash bytea, p_network inet, p_limit integer, p_window_seconds integer) returns boolean
language plpgsql security definer set search_path = internal, public, pg_temp as $$
begin
  if not take_admin_place('admin_passkey', p_network, p_limit, p_window_seconds) then
    return false;
  end if;
  perform keep_passkey_challenge(p_hash, null);
  return true;
end
$$;
comment on function open_passkey_challenge(bytea, inet, integer, integer) is
  'Whether the challenge is kept; false when the address has had its share.';
