-- Takes the right away: the admin's console sessions end. The last admin stays one.
create or replace function admin_revoke_admin(p_request jsonb) returns jsonb
language plpgsql security definer set search_path = internal, public, pg_temp as $$
declare
  v_admin uuid := require_operator();
  v_user users := lock_admin_target(p_request);
begin
  perform keep_an_admin(v_user.id);
  if not v_user.is_admin then
    perform raise_error('ERR_4012', '{"reason":"not_an_admin"}');
  end if;
  perform write_admin_action(v_admin, 'admin_revoke', p_request, v_user.id);
  perform remove_admin(v_user.id);
  return jsonb_build_object('success', true);
end
$$;
comment on function admin_revoke_admin(jsonb) is
  '{"success":true}. Raises ERR_4000, ERR_4005, ERR_4006, ERR_4007, ERR_4012 (last_admin, last_operator).';
