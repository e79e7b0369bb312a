revoke all on age_bands from public, anon, authenticated, service_role, reelbase_api, reelbase_worker, reelbase_admin;
grant execute on function set_age_band(integer, integer, text) to authenticated;
grant execute on function announce_age_policies(jsonb) to reelbase_api;
