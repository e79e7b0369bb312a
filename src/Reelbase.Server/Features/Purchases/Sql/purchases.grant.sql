revoke all on products, purchases, purchase_claims, reconciliations, user_consents
  from public, anon, authenticated, service_role, reelbase_api, reelbase_worker, reelbase_admin;
grant select on products to anon, authenticated;
revoke all on rescinded_consents from public, anon, authenticated, service_role, reelbase_api, reelbase_worker, reelbase_admin;
grant execute on function rescind_consent(text, text, numeric) to reelbase_worker;
grant execute on function get_products() to anon, authenticated;
grant execute on function claim_purchase(jsonb, jsonb), purchase_claims_left(integer, integer), count_failed_claim(inet),
  keep_purchase_claim(text, integer), take_claim_place(inet, integer, integer), finish_claim_place(bigint, boolean) to authenticated;
grant execute on function report_app_store_fault(text, text, text) to reelbase_worker;
grant execute on function record_transaction(uuid, jsonb, text, jsonb), get_consumption(text, text), note_consumption_sent(text, text),
  mark_refund_requested(text, text, boolean), claim_purchase_claims(text, integer, integer), lease_pending_purchases(text, integer, integer, integer),
  finish_purchase_claim(uuid, text, text, double precision, integer), begin_reconciliation(text, text, integer, integer),
  finish_reconciliation(text, text, timestamptz, jsonb, integer), list_purchases_to_check(text, integer, integer),
  note_purchase_checked(text, text), next_buyers_to_check(text, text, integer), note_buyer_checked(text, text, uuid, text),
  credit_waiting_purchase(jsonb), report_sandbox_caps(jsonb) to reelbase_worker;
grant execute on function request_reconciliation(), list_reconciliations() to reelbase_admin;
-- What admins do: each of these checks first whether the caller is one.
grant execute on function admin_assign_purchase(jsonb),
  admin_list_products(jsonb),
  admin_list_purchases(jsonb),
  admin_purchase_is_known(text),
  admin_record_purchase(jsonb, jsonb),
  admin_save_product(jsonb) to authenticated;
