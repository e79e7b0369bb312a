-- An operator makes another admin support or an operator.
create or replace function admin_set_role(p_request jsonb) returns jsonb
language plpgsql security definer set search_path = internal, public, pg_temp as $$
declare
  v_admin uuid := require_operator();
  v_user users := lock_admin_target(p_request);
  v_role text := read_admin_text(p_request, 'role', 20, true);
  v_before text;
begin
  if v_role not in ('support', 'operator') then
    perform raise_error('ERR_4000', '{"field":"role","reason":"unknown"}');
  elsif not v_user.is_admin then
    perform raise_error('ERR_4012', '{"reason":"not_an_admin"}');
  end if;
  v_before := set_role_of(v_user.id, v_role);
  perform write_admin_action(v_admin, 'admin_role', p_request, v_user.id, null, null, null, jsonb_build_object('from', v_before, 'to', v_role));
  return jsonb_build_object('success', true, 'role', v_role);
end
$$;
comment on function admin_set_role(jsonb) is
  '{"success":true,"role":"support"|"operator"}. Raises ERR_4000, ERR_4005, ERR_4006, ERR_4007, ERR_4012 (not_an_admin, last_admin, last_operator).';
