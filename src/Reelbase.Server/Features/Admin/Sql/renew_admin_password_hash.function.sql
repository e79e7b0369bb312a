-- The same password under today's rounds, when it was right and its hash is from before. Nothing else changes.
create or replace function renew_admin_password_hash(p_user_id uuid, p_old_hash text, p_new_hash text) returns void
language sql security definer set search_path = internal, public, pg_temp as $$
  update admin_credentials set password_hash = p_new_hash where user_id = p_user_id and password_hash = p_old_hash
$$;
comment on function renew_admin_password_hash(uuid, text, text) is
  'Replaces a hash by a stronger one of the same password.';
