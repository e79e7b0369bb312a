revoke all on error_log from public, anon, authenticated, service_role, reelbase_api, reelbase_worker, reelbase_admin;
grant execute on function log_errors(jsonb) to reelbase_api, reelbase_worker;
grant execute on function find_user_language(uuid) to reelbase_api;
