-- The signature was right: opens the console session. A key that counts has counted on since it was last used, also for two attempts at once:
-- one that has not is a copy. What is right by its signature and late by its counter is alerted.
create or replace function start_passkey_session(p_credential_id bytea, p_session_id uuid, p_sign_count bigint, p_network inet) returns boolean
language plpgsql security definer set search_path = internal, public, pg_temp as $$
declare
  v_passkey admin_passkeys;
begin
  select p.* into v_passkey from admin_passkeys p join users u on u.id = p.user_id
  where p.credential_id = p_credential_id and u.is_admin and u.banned_at is null and u.deleted_at is null for no key update of p;
  if not found then
    return false;
  elsif p_sign_count <= v_passkey.sign_count and (p_sign_count <> 0 or v_passkey.sign_count <> 0) then
    perform raise_alert('admin_passkey_copied', v_passkey.id || ':' || to_char(clock_timestamp() at time zone 'UTC', 'YYYY-MM-DD'),
      format('A passkey of admin %s came with a lower counter than before: there may be a copy of it. Remove it and make a new one.', v_passkey.user_id));
    return false;
  end if;
  update admin_passkeys set sign_count = p_sign_count, last_used_at = clock_timestamp() where id = v_passkey.id;
  perform forget_admin_failures(v_passkey.user_id, p_network);
  perform give_admin_place_back('admin_passkey_sign_in', v_passkey.user_id, p_network);
  perform begin_admin_session(v_passkey.user_id, p_session_id);
  return true;
end
$$;
comment on function start_passkey_session(bytea, uuid, bigint, inet) is
  'Whether the session was opened; false when the key is gone or its counter did not rise.';
