-- Who acts as an admin, or the fitting error: an admin, and in a session that admin sign-in or the command line made. A session of the
-- app is none, whatever its row says. It is the first thing that every admin function does, so that a right that was taken away, a ban
-- or an ended session holds from the next call on.
create or replace function require_admin() returns uuid
language plpgsql stable security definer set search_path = internal, public, pg_temp as $$
declare
  v_me uuid := require_caller();
begin
  if not exists (select from users where id = v_me and is_admin) then
    perform raise_error('ERR_4006', '{"reason":"not_an_admin"}');
  end if;
  if not is_admin_session(v_me) then
    perform raise_error('ERR_4006', '{"reason":"not_an_admin_session"}');
  end if;
  return v_me;
end
$$;
comment on function require_admin() is
  'The calling admin''s id; raises ERR_4005, ERR_4006.';
