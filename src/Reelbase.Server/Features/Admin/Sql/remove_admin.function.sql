-- The right, the password and the sessions of an admin go. Internal.
create or replace function internal.remove_admin(p_user_id uuid) returns void
language plpgsql security definer set search_path = internal, public, pg_temp as $$
begin
  update users set is_admin = false, updated_at = now() where id = p_user_id;
  delete from admin_credentials where user_id = p_user_id;
  delete from admin_passkeys where user_id = p_user_id;
  update sessions set revoked_at = clock_timestamp() where user_id = p_user_id and method = 'admin' and revoked_at is null;
end
$$;
comment on function internal.remove_admin(uuid) is
  'Takes an admin''s right, password and console sessions. Internal.';
