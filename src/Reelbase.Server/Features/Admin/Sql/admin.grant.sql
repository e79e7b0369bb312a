revoke all on admin_actions, admin_approvals, admin_credentials, admin_passkey_challenges, admin_passkeys, admin_sign_in_failures, nodes from public, anon, authenticated, service_role, reelbase_api, reelbase_worker, reelbase_admin;
grant select on admin_actions to authenticated;
grant execute on function require_admin(), is_admin(), end_admin_session(), check_admin_session(integer, integer, boolean),
  open_passkey_registration(bytea), take_passkey_challenge(bytea), add_passkey(text, bytea, bytea, bigint) to authenticated;
grant execute on function find_admin_credentials(text), note_admin_failure(uuid, integer, integer), start_admin_session(uuid, uuid, bigint),
  open_admin_attempt(text, inet, integer, integer, uuid, integer, integer), record_admin_failure(text, inet, integer, integer), start_admin_session(uuid, uuid, bigint, inet),
  change_admin_password(uuid, text, text, bigint, inet), renew_admin_password_hash(uuid, text, text),
  open_passkey_challenge(bytea, inet, integer, integer), open_passkey_attempt(bytea, bytea, inet, integer, integer), start_passkey_session(bytea, uuid, bigint, inet) to reelbase_api;
grant execute on function create_admin(text, text, bytea), create_admin(text, text, bytea, text), list_admins(), set_admin_role(text, text), revoke_admin(text), start_admin_token(text, uuid) to reelbase_admin;
-- What admins do: each of these checks first whether the caller is one.
grant execute on function call_admin_once(uuid, text, jsonb),
  admin_approve(uuid, jsonb, jsonb),
  admin_end_session(jsonb),
  admin_list_actions(jsonb),
  admin_list_admins(jsonb),
  admin_list_approvals(jsonb),
  admin_list_passkeys(jsonb),
  admin_list_sessions(jsonb),
  admin_remove_passkey(jsonb),
  admin_revoke_admin(jsonb),
  admin_set_role(jsonb) to authenticated;
