revoke all on webhook_deliveries from public, anon, authenticated, service_role, reelbase_api, reelbase_worker, reelbase_admin;
grant execute on function store_webhook_delivery(text, bytea, text, text, jsonb, text, text, bytea),
  store_webhook_delivery(text, bytea, text, text, jsonb, text, text) to reelbase_api;
grant execute on function name_lost_submission(bigint, text, double precision) to reelbase_worker;
grant execute on function claim_webhook_deliveries(text, integer, integer), claim_webhook_deliveries(text, integer, integer, integer),
  apply_webhook_delivery(bigint, text, text, text, text, text, text, bigint),
  finish_webhook_delivery(bigint, text, text, double precision, integer) to reelbase_worker;
grant execute on function list_webhook_deliveries(text, integer), resend_webhook_delivery(bigint) to reelbase_admin;
grant execute on function store_inbox_message(text, text, text, jsonb) to reelbase_api, reelbase_worker;
grant execute on function claim_inbox_messages(text, text, integer, integer), claim_inbox_messages(text, text, integer, integer, integer),
  finish_inbox_message(bigint, text, uuid, text, double precision, integer) to reelbase_worker;
-- What admins do: each of these checks first whether the caller is one.
grant execute on function admin_list_deliveries(jsonb),
  admin_resend_delivery(jsonb) to authenticated;
