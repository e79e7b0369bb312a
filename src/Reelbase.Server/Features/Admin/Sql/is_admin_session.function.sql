-- Whether the session of the caller's token is one of admin sign-in, is this user's and goes on. Claims of the compatibility mode name none.
create or replace function internal.is_admin_session(p_user_id uuid) returns boolean
language sql stable security definer set search_path = internal, public, pg_temp as $$
  select exists (select from sessions where id = (auth.jwt() ->> 'session_id')::uuid and user_id = p_user_id and method = 'admin' and revoked_at is null)
$$;
comment on function internal.is_admin_session(uuid) is
  'Whether the caller''s session was made by admin sign-in or the command line. Internal to the definer functions.';
