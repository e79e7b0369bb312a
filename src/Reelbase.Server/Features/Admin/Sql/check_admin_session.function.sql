-- Whether a console session goes on: it ends after so many minutes without an action, and after so many whatever happens.
create or replace function check_admin_session(p_idle_minutes integer, p_session_minutes integer, p_is_action boolean) returns void
language plpgsql security definer set search_path = internal, public, pg_temp as $$
declare
  v_admin uuid := require_admin();
  v_session sessions;
begin
  select * into v_session from sessions where id = (auth.jwt() ->> 'session_id')::uuid;
  if v_session.method <> 'admin' or v_session.refreshed_at < clock_timestamp() - make_interval(mins => p_idle_minutes)
    or v_session.created_at < clock_timestamp() - make_interval(mins => p_session_minutes) then
    perform raise_error('ERR_4005', '{"reason":"session_ended"}');
  end if;
  if p_is_action and v_session.refreshed_at < clock_timestamp() - interval '10 seconds' then
    update sessions set refreshed_at = clock_timestamp() where id = v_session.id;
  end if;
end
$$;
comment on function check_admin_session(integer, integer, boolean) is
  'Returns while the caller''s console session goes on; raises ERR_4005, ERR_4006.';
