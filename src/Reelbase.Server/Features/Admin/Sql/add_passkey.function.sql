-- The calling admin has a new passkey. A key that somebody has already is nobody else's.
create or replace function add_passkey(p_name text, p_credential_id bytea, p_public_key bytea, p_sign_count bigint) returns uuid
language plpgsql security definer set search_path = internal, public, pg_temp as $$
declare
  v_admin uuid := require_admin();
  v_id uuid;
begin
  perform require_recent_sign_in();
  insert into admin_passkeys (user_id, name, credential_id, public_key, sign_count)
  values (v_admin, btrim(p_name), p_credential_id, p_public_key, p_sign_count)
  on conflict on constraint admin_passkeys_credential_id_key do nothing returning id into v_id;
  if v_id is null then
    perform raise_error('ERR_4012', '{"reason":"passkey_is_known"}');
  end if;
  perform write_admin_action(v_admin, 'passkey_add', '{"reason":"in the console"}', v_admin, null, v_id::text, null, jsonb_build_object('name', btrim(p_name)));
  perform raise_alert('admin_passkey_added', v_id::text,
    format('Admin %s has added a passkey. Whoever did not expect this: ./reelbase admin revoke.', v_admin));
  return v_id;
end
$$;
comment on function add_passkey(text, bytea, bytea, bigint) is
  'The id of the key. Raises ERR_4005, ERR_4006 (sign_in_again), ERR_4012 (passkey_is_known).';
