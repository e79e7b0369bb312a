revoke all on quota_log, balances_below_zero from public, anon, authenticated, service_role, reelbase_api, reelbase_worker, reelbase_admin;
grant select (id, seq, user_id, job_id, change, reason, transaction_id, balance_after, created_at)
  on quota_log to authenticated;
grant execute on function get_user_credits(), get_credit_history(integer, bigint) to authenticated;
grant execute on function check_ledger(), verify_ledger(uuid, integer) to reelbase_admin;
grant execute on function alert_ledger_problems(uuid, integer, integer) to reelbase_worker;
-- What admins do: each of these checks first whether the caller is one.
grant execute on function admin_adjust_credits(uuid, jsonb, integer),
  admin_adjust_credits(uuid, jsonb, jsonb, uuid),
  admin_list_ledger(jsonb),
  admin_refund_credits(uuid, jsonb, integer),
  admin_refund_credits(uuid, jsonb, jsonb, uuid) to authenticated;
