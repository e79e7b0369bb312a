revoke all on app_settings from public, anon, authenticated, service_role, reelbase_api, reelbase_worker, reelbase_admin;
grant execute on function get_app_settings() to anon, authenticated;
grant execute on function read_server_limits() to reelbase_worker;
-- What admins do: each of these checks first whether the caller is one.
grant execute on function admin_list_app_settings(jsonb), admin_save_app_settings(jsonb) to authenticated;
