revoke all on quota_log from public, anon, authenticated, service_role, reelbase_api, reelbase_worker, reelbase_admin;
grant select (id, seq, user_id, job_id, change, reason, transaction_id, balance_after, created_at)
  on quota_log to authenticated;
grant execute on function get_user_credits(), get_credit_history(integer, bigint) to authenticated;
grant execute on function check_ledger() to reelbase_admin;
