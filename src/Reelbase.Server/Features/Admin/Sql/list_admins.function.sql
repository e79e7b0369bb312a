-- Who is an admin, for the command line.
create or replace function list_admins() returns table (email text, role text, can_sign_in boolean, is_banned boolean, last_session_at timestamptz)
language sql stable security definer set search_path = internal, public, pg_temp as $$
  select u.email, admin_role(u.id), c.user_id is not null, u.banned_at is not null,
    (select max(s.refreshed_at) from sessions s where s.user_id = u.id and s.method = 'admin')
  from users u left join admin_credentials c on c.user_id = u.id where u.is_admin order by u.created_at, u.id
$$;
comment on function list_admins() is
  'Every admin: e-mail, role, whether there is a password, whether banned, and when last seen.';
