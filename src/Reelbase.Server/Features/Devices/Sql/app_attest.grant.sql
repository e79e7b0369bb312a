revoke all on device_challenges, device_keys from public, anon, authenticated, service_role, reelbase_api, reelbase_worker, reelbase_admin;
grant execute on function issue_device_challenge(bytea, inet, integer, integer, integer), use_device_challenge(bytea), find_device_key(bytea, text),
  raise_device_key_counter(bytea, text, bigint) to reelbase_api;
