-- An admin has shown password and code: the code is used up (each works once, also for two attempts at once), what was counted against this
-- account at this address is forgotten, and the address gets its place back. False for a used code, and for a first password whose day is over.
create or replace function internal.use_admin_code(p_user_id uuid, p_totp_step bigint, p_network inet) returns boolean
language plpgsql security definer set search_path = internal, public, pg_temp as $$
begin
  update admin_credentials set totp_step = p_totp_step, failed_attempts = 0, locked_until = null
  where user_id = p_user_id and totp_step < p_totp_step and (initial_until is null or initial_until > clock_timestamp());
  if not found then
    return false;
  end if;
  perform forget_admin_failures(p_user_id, p_network);
  perform give_admin_place_back('admin_sign_in', p_user_id, p_network);
  return true;
end
$$;
comment on function internal.use_admin_code(uuid, bigint, inet) is
  'Whether the code counts; false when it was used before, or the first password has ended. Internal.';
