-- What admins do: each of these checks first whether the caller is one.
grant execute on function admin_request_ledger_check(jsonb),
  admin_system(jsonb) to authenticated;
grant execute on function beat(text, text, text[], timestamptz), record_heartbeat(text, text, text[], timestamptz, jsonb) to reelbase_worker, reelbase_api;
grant execute on function record_outside_systems(jsonb) to reelbase_worker;
grant execute on function list_outside_systems() to reelbase_worker, reelbase_admin;
grant execute on function list_nodes(), doctor_facts(), record_backup() to reelbase_admin;
grant execute on function claim_ledger_check(text, integer) to reelbase_worker;
