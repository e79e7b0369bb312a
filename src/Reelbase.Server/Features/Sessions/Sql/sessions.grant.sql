revoke all on sessions, refresh_tokens from public, anon, authenticated, service_role, reelbase_api, reelbase_worker, reelbase_admin;
grant execute on function start_session(uuid, uuid, text, bytea, integer), start_guest_session(uuid, uuid, bytea, integer), refresh_session(uuid, integer, bytea, bytea, integer, integer),
  refresh_session(uuid, integer, bytea, bytea, integer, integer, integer),
  get_session_counter(uuid) to reelbase_api;
grant execute on function end_sessions(text), get_auth_user(), list_my_sessions(), end_session(uuid) to authenticated;
