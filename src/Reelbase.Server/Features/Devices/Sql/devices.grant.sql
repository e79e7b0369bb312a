revoke all on device_checks, device_grants, device_openings, device_questions, temporary_guests, installation_leases
  from public, anon, authenticated, service_role, reelbase_api, reelbase_worker, reelbase_admin;
grant execute on function open_device(text, text, inet, text, boolean, integer, integer, jsonb, jsonb), open_device(text, boolean, text, inet, integer, integer, jsonb),
  try_open_device(text, text, inet, integer, integer, integer, text, integer, integer, integer, jsonb, jsonb),
  begin_device_question(text, text, inet, integer, integer, integer, text, integer), record_device_verdict(uuid, text, text), get_device_grant(uuid), is_device_banned(text), note_device_failure(inet),
  confirm_device_limit(text[], text[], inet[], integer, integer) to reelbase_api;
grant execute on function claim_device_grant(text, integer, uuid, integer), renew_device_grant_turn(text, integer), record_device_answer(uuid, text, boolean, boolean),
  record_device_bit_set(uuid, text), grant_initial_credits(uuid, text, integer, text),
  postpone_device_grant(uuid, text, text, double precision, integer), reject_device_grant(uuid, text),
  finish_device_mark(uuid, text, boolean)
  to reelbase_api, reelbase_worker;
grant execute on function claim_temporary_guest(text, integer), settle_temporary_guest(uuid, uuid, text, text, double precision, integer), get_device_grant(uuid) to reelbase_worker;
