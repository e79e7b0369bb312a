-- Every session of a user ends: a lost phone, a token in wrong hands.
create or replace function admin_end_sessions(p_request jsonb) returns jsonb
language plpgsql security definer set search_path = internal, public, pg_temp as $$
declare
  v_admin uuid := require_admin();
  v_user users := lock_admin_target(p_request);
  v_ended integer;
begin
  perform require_right_over(v_admin, v_user);
  update sessions s set revoked_at = clock_timestamp() where s.revoked_at is null
    and s.user_id in (select u.id from users u where u.id = v_user.id or u.merged_into = v_user.id);
  get diagnostics v_ended = row_count;
  update former_refresh_tokens f set used_at = clock_timestamp() where f.used_at is null
    and f.user_id in (select u.id from users u where u.id = v_user.id or u.merged_into = v_user.id);
  perform write_admin_action(v_admin, 'sessions_end', p_request, v_user.id, null, null, null, jsonb_build_object('sessions', v_ended));
  return jsonb_build_object('success', true, 'sessions', v_ended);
end
$$;
comment on function admin_end_sessions(jsonb) is
  '{"success":true,"sessions":n}. Raises ERR_4000, ERR_4005, ERR_4006, ERR_4007.';
