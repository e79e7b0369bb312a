revoke all on admin_actions, admin_credentials, nodes from public, anon, authenticated, service_role, reelbase_api, reelbase_worker, reelbase_admin;
grant select on admin_actions to authenticated;
grant execute on function require_admin(), is_admin(), end_admin_session(), check_admin_session(integer, integer, boolean) to authenticated;
grant execute on function find_admin_credentials(text), note_admin_failure(uuid, integer, integer), start_admin_session(uuid, uuid, bigint) to reelbase_api;
grant execute on function create_admin(text, text, bytea), revoke_admin(text), start_admin_token(text, uuid) to reelbase_admin;
-- What admins do: each of these looks first whether the caller is one.
grant execute on function call_admin_once(uuid, text, jsonb),
  admin_list_actions(jsonb),
  admin_list_admins(jsonb),
  admin_revoke_admin(jsonb) to authenticated;
