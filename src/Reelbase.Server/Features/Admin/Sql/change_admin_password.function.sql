-- An admin has shown the present password and a code, and chosen a new password. Every open console of theirs ends, whoever sits there; the
-- others learn of it from the audit and from an alert. False when the code was used before, or somebody changed the password in between.
create or replace function change_admin_password(p_user_id uuid, p_old_hash text, p_new_hash text, p_totp_step bigint, p_network inet) returns boolean
language plpgsql security definer set search_path = internal, public, pg_temp as $$
begin
  if not exists (select from users where id = p_user_id and is_admin and banned_at is null and deleted_at is null)
    or not exists (select from admin_credentials where user_id = p_user_id and password_hash = p_old_hash for update)
    or not use_admin_code(p_user_id, p_totp_step, p_network) then
    return false;
  end if;
  update admin_credentials set password_hash = p_new_hash, initial_until = null, changed_at = now() where user_id = p_user_id;
  update sessions set revoked_at = clock_timestamp() where user_id = p_user_id and method = 'admin' and revoked_at is null;
  -- So does every other way in: a key that somebody else added would stay.
  delete from admin_passkeys where user_id = p_user_id;
  insert into admin_actions (admin_user_id, action_type, target_user_id, reason) values (p_user_id, 'admin_password', p_user_id, 'chosen by the admin');
  perform raise_alert('admin_password_changed', p_user_id || ':' || clock_timestamp(),
    format('Admin %s has chosen a new password. Whoever did not expect this: ./reelbase admin revoke.', p_user_id));
  return true;
end
$$;
comment on function change_admin_password(uuid, text, text, bigint, inet) is
  'Whether the password was changed; ends the admin''s sessions, removes their passkeys, writes admin_actions, raises an alert.';
