-- Password and code were right: opens the console session. A code works once, also for two attempts at once: false for the second one. What was
-- counted against this account at this address is forgotten, and the address gets its place back.
create or replace function start_admin_session(p_user_id uuid, p_session_id uuid, p_totp_step bigint, p_network inet) returns boolean
language plpgsql security definer set search_path = public, pg_temp as $$
begin
  update admin_credentials set totp_step = p_totp_step, failed_attempts = 0, locked_until = null
  where user_id = p_user_id and totp_step < p_totp_step;
  if not found then
    return false;
  end if;
  delete from admin_sign_in_failures where network = p_network and account = (select admin_account(email) from users where id = p_user_id);
  delete from rate_limit_log where id = (
    select id from rate_limit_log where action = 'admin_sign_in' and user_id is null
      and ip_address = case when family(p_network) = 6 then set_masklen(p_network, 64)::cidr::inet else p_network end order by created_at desc limit 1);
  -- No more than a few open windows; the oldest ends.
  update sessions set revoked_at = clock_timestamp() where id in (
    select s.id from sessions s where s.user_id = p_user_id and s.method = 'admin' and s.revoked_at is null order by s.created_at desc offset 4);
  insert into sessions (id, user_id, method) values (p_session_id, p_user_id, 'admin');
  return true;
end
$$;
comment on function start_admin_session(uuid, uuid, bigint, inet) is
  'Whether the session was opened; false when the code was used before.';

-- compatibility: the previous release's nodes call this; goes in the next release
create or replace function start_admin_session(p_user_id uuid, p_session_id uuid, p_totp_step bigint) returns boolean
language sql security definer set search_path = public, pg_temp as $$
  select start_admin_session(p_user_id, p_session_id, p_totp_step, null::inet)
$$;
comment on function start_admin_session(uuid, uuid, bigint) is
  'As above, for the previous release, which knows no address.';
