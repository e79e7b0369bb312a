-- An admin has shown password and code: the code is used up (each works once, also for two attempts at once), what was counted against this
-- account at this address is forgotten, and the address gets its place back. False for a used code, and for a first password whose day is over.
create or replace function use_admin_code(p_user_id uuid, p_totp_step bigint, p_network inet) returns boolean
language plpgsql security definer set search_path = public, pg_temp as $$
begin
  update admin_credentials set totp_step = p_totp_step, failed_attempts = 0, locked_until = null
  where user_id = p_user_id and totp_step < p_totp_step and (initial_until is null or initial_until > clock_timestamp());
  if not found then
    return false;
  end if;
  delete from admin_sign_in_failures where network = p_network and account = (select admin_account(email) from users where id = p_user_id);
  delete from rate_limit_log where id = (
    select id from rate_limit_log where action = 'admin_sign_in' and user_id is null
      and ip_address = case when family(p_network) = 6 then set_masklen(p_network, 64)::cidr::inet else p_network end order by created_at desc limit 1);
  return true;
end
$$;
comment on function use_admin_code(uuid, bigint, inet) is
  'Whether the code counts; false when it was used before, or the first password has ended. Internal.';
