-- Password and code were right: opens the console session. A code works once, also for two attempts at once: null for the second one.
create or replace function start_admin_session(p_user_id uuid, p_session_id uuid, p_totp_step bigint) returns boolean
language plpgsql security definer set search_path = public, pg_temp as $$
begin
  update admin_credentials set totp_step = p_totp_step, failed_attempts = 0, locked_until = null
  where user_id = p_user_id and totp_step < p_totp_step and (locked_until is null or locked_until <= clock_timestamp());
  if not found then
    return false;
  end if;
  -- No more than a few open windows; the oldest ends.
  update sessions set revoked_at = clock_timestamp() where id in (
    select s.id from sessions s where s.user_id = p_user_id and s.method = 'admin' and s.revoked_at is null order by s.created_at desc offset 4);
  insert into sessions (id, user_id, method) values (p_session_id, p_user_id, 'admin');
  return true;
end
$$;
comment on function start_admin_session(uuid, uuid, bigint) is
  'Whether the session was opened; false when the code was used before.';
