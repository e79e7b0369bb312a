revoke all on idempotency_log from public, anon, authenticated, service_role, reelbase_api, reelbase_worker, reelbase_admin;
