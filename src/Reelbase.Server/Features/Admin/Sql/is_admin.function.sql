-- Whether the caller may see what admins see; for policies.
create or replace function is_admin() returns boolean
language sql stable security definer set search_path = internal, public, pg_temp as $$
  select exists (select from users where id = my_user_id() and is_admin and banned_at is null and is_admin_session(id))
$$;
comment on function is_admin() is
  'Whether the caller is an admin in good standing, in a session of admin sign-in.';
