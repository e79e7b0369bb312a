-- The caller's console session ends.
create or replace function end_admin_session() returns void
language plpgsql security definer set search_path = internal, public, pg_temp as $$
declare
  v_me uuid := require_caller();
begin
  update sessions set revoked_at = clock_timestamp() where id = (auth.jwt() ->> 'session_id')::uuid and user_id = v_me and revoked_at is null;
end
$$;
comment on function end_admin_session() is
  'Ends the session of the caller''s own token. Raises ERR_4005, ERR_4006.';
