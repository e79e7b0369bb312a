-- Somebody has proven to be this admin: the console session opens. Internal.
create or replace function internal.begin_admin_session(p_user_id uuid, p_session_id uuid) returns void
language plpgsql security definer set search_path = internal, public, pg_temp as $$
begin
  -- No more than a few open windows; the oldest ends.
  update sessions set revoked_at = clock_timestamp() where id in (
    select s.id from sessions s where s.user_id = p_user_id and s.method = 'admin' and s.revoked_at is null order by s.created_at desc offset 4);
  insert into sessions (id, user_id, method) values (p_session_id, p_user_id, 'admin');
end
$$;
comment on function internal.begin_admin_session(uuid, uuid) is
  'Opens a console session. Internal to the functions of signing in.';
