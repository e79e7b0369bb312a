revoke all on provider_states, provider_spend, alerts
  from public, anon, authenticated, service_role, reelbase_api, reelbase_worker, reelbase_admin;
grant execute on function provider_is_offered(text) to anon, authenticated;
grant execute on function announce_provider(text, boolean, integer), announce_provider(text, boolean, integer, text), list_catalog_providers(), list_failing_providers(),
  record_provider_fault(text, text, text, double precision), record_provider_answer(text, text),
  raise_alert(text, text, text) to reelbase_worker;
grant execute on function list_outages() to reelbase_worker;
