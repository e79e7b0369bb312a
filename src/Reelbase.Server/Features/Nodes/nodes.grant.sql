-- What admins do: each of these looks first whether the caller is one.
grant execute on function admin_request_ledger_check(jsonb),
  admin_system(jsonb) to authenticated;
grant execute on function beat(text, text, text[], timestamptz) to reelbase_worker, reelbase_api;
grant execute on function claim_ledger_check(text, integer) to reelbase_worker;
