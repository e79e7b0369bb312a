revoke all on users from public, anon, authenticated, service_role, reelbase_api, reelbase_worker, reelbase_admin;
-- The stored device id is for the device functions alone.
revoke select (device_id) on users from authenticated;
grant select (id, email, apple_sub, is_guest, tier, credits_remaining, credits_total, initial_grant_claimed,
  language, language_chosen_at, theme_preference, banned_at, created_at, updated_at) on users to authenticated;
grant update (language, theme_preference) on users to authenticated;
revoke all on consent_terms from public, anon, authenticated, service_role, reelbase_api, reelbase_worker, reelbase_admin;
grant execute on function get_consent_terms(text, text) to anon, authenticated;
grant execute on function announce_consent_rule(text, boolean, timestamptz), consent_rule() to reelbase_api, reelbase_worker, reelbase_admin;
grant execute on function my_user_id(), my_user_ids(), require_caller() to authenticated, anon;
grant execute on function match_user_id(text) to authenticated;
grant execute on function find_user_id(text) to reelbase_api;
grant execute on function get_user_profile(), update_user_settings(text, text) to authenticated;
grant execute on function raise_error(text, jsonb) to anon, authenticated, reelbase_api, reelbase_worker, reelbase_admin;
grant execute on function record_consent(text, text, boolean), delete_account(), delete_account(text, bytea), export_user_data(integer), export_user_list(text, text, integer) to authenticated;
-- What admins do: each of these checks first whether the caller is one.
grant execute on function admin_ban_user(jsonb),
  admin_end_sessions(jsonb),
  admin_get_user(jsonb),
  admin_list_consent_terms(jsonb),
  admin_publish_consent_terms(jsonb),
  admin_search_users(jsonb),
  admin_set_tier(jsonb),
  admin_unban_user(jsonb),
  admin_user_stats(jsonb) to authenticated;
