-- What an admin may do: support, or operator.
create or replace function internal.admin_role(p_user_id uuid) returns text
language sql stable security definer set search_path = internal, public, pg_temp as $$
  select coalesce((select role from admin_credentials where user_id = p_user_id), 'operator')
$$;
comment on function internal.admin_role(uuid) is
  'The role of an admin. Internal to the definer functions.';
