-- Password and code were right: opens the console session. A code works once, also for two attempts at once: false for the second one, and for
-- the command line's password once its day is over.
create or replace function start_admin_session(p_user_id uuid, p_session_id uuid, p_totp_step bigint, p_network inet) returns boolean
language plpgsql security definer set search_path = internal, public, pg_temp as $$
begin
  if not use_admin_code(p_user_id, p_totp_step, p_network) then
    return false;
  end if;
  perform begin_admin_session(p_user_id, p_session_id);
  return true;
end
$$;
comment on function start_admin_session(uuid, uuid, bigint, inet) is
  'Whether the session was opened; false when the code was used before, or the first password has ended.';

-- compatibility: the previous release's nodes call this; goes in the next release
create or replace function start_admin_session(p_user_id uuid, p_session_id uuid, p_totp_step bigint) returns boolean
language sql security definer set search_path = internal, public, pg_temp as $$
  select start_admin_session(p_user_id, p_session_id, p_totp_step, null::inet)
$$;
comment on function start_admin_session(uuid, uuid, bigint) is
  'As above, for the previous release, which knows no address.';
