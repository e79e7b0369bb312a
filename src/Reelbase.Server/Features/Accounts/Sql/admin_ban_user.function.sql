-- A ban holds from the next request on, for sessions that are open too; the phone is marked at Apple when it comes again. Doing it twice is
-- doing it once, with one audit row.
create or replace function admin_ban_user(p_request jsonb) returns jsonb
language plpgsql security definer set search_path = internal, public, pg_temp as $$
declare
  v_admin uuid := require_admin();
  v_user users := lock_admin_target(p_request);
begin
  perform require_right_over(v_admin, v_user);
  if v_user.id = v_admin then
    perform raise_error('ERR_4012', '{"reason":"yourself"}');
  end if;
  perform keep_an_admin(v_user.id);
  if v_user.banned_at is null then
    perform write_admin_action(v_admin, 'user_ban', p_request, v_user.id);
    update users set banned_at = clock_timestamp(), updated_at = now() where id = v_user.id;
  else
    perform read_admin_text(p_request, 'reason', 500, true);
  end if;
  return jsonb_build_object('success', true);
end
$$;
comment on function admin_ban_user(jsonb) is
  '{"success":true}. Raises ERR_4000, ERR_4005, ERR_4006, ERR_4007, ERR_4012 (yourself, last_admin).';
