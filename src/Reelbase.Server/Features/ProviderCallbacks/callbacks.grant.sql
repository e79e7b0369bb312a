revoke all on webhook_deliveries from public, anon, authenticated, service_role, reelbase_api, reelbase_worker, reelbase_admin;
grant execute on function store_webhook_delivery(text, bytea, text, text, jsonb) to reelbase_api;
grant execute on function claim_webhook_deliveries(text, integer, integer),
  finish_webhook_delivery(bigint, text, text, double precision, integer) to reelbase_worker;
