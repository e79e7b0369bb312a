-- A passkey goes: the caller's own, or by an operator anybody's. Nobody signs in with it any more.
create or replace function admin_remove_passkey(p_request jsonb) returns jsonb
language plpgsql security definer set search_path = internal, public, pg_temp as $$
declare
  v_admin uuid := require_admin();
  v_id uuid := read_admin_uuid(p_request, 'passkey_id', 'passkey');
  v_passkey admin_passkeys;
begin
  select * into v_passkey from admin_passkeys where id = v_id for update;
  if not found or (v_passkey.user_id <> v_admin and admin_role(v_admin) <> 'operator') then
    perform raise_error('ERR_4007', '{"what":"passkey"}');
  end if;
  perform write_admin_action(v_admin, 'passkey_remove', p_request, v_passkey.user_id, null, v_id::text, null, jsonb_build_object('name', v_passkey.name));
  delete from admin_passkeys where id = v_id;
  return jsonb_build_object('success', true);
end
$$;
comment on function admin_remove_passkey(jsonb) is
  '{"success":true}. Raises ERR_4000, ERR_4005, ERR_4006, ERR_4007.';
