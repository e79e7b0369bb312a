-- One of the calling admin's own sessions ends. Another than the one that is asking takes a sign-in of the last ten minutes: a console that somebody finds open must not
-- throw its owner out of theirs.
create or replace function admin_end_session(p_request jsonb) returns jsonb
language plpgsql security definer set search_path = internal, public, pg_temp as $$
declare
  v_me uuid := require_admin();
  v_id uuid := read_admin_uuid(p_request, 'session_id', 'session');
  v_current uuid := (auth.jwt() ->> 'session_id')::uuid;
begin
  if v_id <> v_current
    and not exists (select from sessions s where s.id = v_current and s.created_at > clock_timestamp() - interval '10 minutes') then
    perform raise_error('ERR_4006', '{"reason":"sign_in_again"}');
  end if;
  update sessions set revoked_at = clock_timestamp() where id = v_id and user_id = v_me and method = 'admin' and revoked_at is null;
  if not found then
    perform raise_error('ERR_4007', '{"what":"session"}');
  end if;
  perform write_admin_action(v_me, 'session_end', p_request, v_me, null, v_id::text);
  return jsonb_build_object('success', true);
end
$$;
comment on function admin_end_session(jsonb) is
  '{"success":true}. Raises ERR_4000, ERR_4005, ERR_4006 (sign_in_again), ERR_4007.';
