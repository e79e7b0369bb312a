-- The challenge of the caller's new passkey is used up, whatever comes of it.
create or replace function take_passkey_challenge(p_hash bytea) returns boolean
language plpgsql security definer set search_path = internal, public, pg_temp as $$
declare
  v_admin uuid := require_admin();
begin
  delete from admin_passkey_challenges where hash = p_hash and user_id = v_admin and expires_at > clock_timestamp();
  return found;
end
$$;
comment on function take_passkey_challenge(bytea) is
  'Whether it was one of the caller''s. Raises ERR_4005, ERR_4006.';
