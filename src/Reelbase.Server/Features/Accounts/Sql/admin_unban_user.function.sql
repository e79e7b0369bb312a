-- The ban ends; sessions that the phone still has go on. What marked the phone here is taken away, and Apple's bit when it comes again.
create or replace function admin_unban_user(p_request jsonb) returns jsonb
language plpgsql security definer set search_path = internal, public, pg_temp as $$
declare
  v_admin uuid := require_admin();
  v_user users := lock_admin_target(p_request);
begin
  perform require_right_over(v_admin, v_user);
  if v_user.banned_at is not null then
    perform write_admin_action(v_admin, 'user_unban', p_request, v_user.id);
    update users set banned_at = null, updated_at = now() where id = v_user.id;
  else
    perform read_admin_text(p_request, 'reason', 500, true);
  end if;
  update device_checks d set fraud_flags = array_remove(d.fraud_flags, 'banned_phone'), risk_score = 0, updated_at = now()
  where 'banned_phone' = any (d.fraud_flags)
    and (d.user_id in (select u.id from users u where u.id = v_user.id or u.merged_into = v_user.id)
      or d.device_id in (select unnest(array[u.device_id, stored_device_id(u.device_id)]) from users u where u.id = v_user.id or u.merged_into = v_user.id));
  return jsonb_build_object('success', true);
end
$$;
comment on function admin_unban_user(jsonb) is
  '{"success":true}. Raises ERR_4000, ERR_4005, ERR_4006, ERR_4007.';
