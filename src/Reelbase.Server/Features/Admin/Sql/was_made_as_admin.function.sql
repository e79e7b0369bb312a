-- Whether the command line made this row as an admin's: the record says so, and nothing can be taken out of it.
create or replace function internal.was_made_as_admin(p_user_id uuid) returns boolean
language sql stable security definer set search_path = internal, public, pg_temp as $$
  select exists (select from admin_actions where action_type = 'admin_create' and target_user_id = p_user_id and admin_user_id is null)
$$;
comment on function internal.was_made_as_admin(uuid) is
  'Whether admin create has made this row. Internal to the definer functions.';
