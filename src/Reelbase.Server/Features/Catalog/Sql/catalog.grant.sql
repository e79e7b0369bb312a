revoke all on models, themes, foreign_results from public, anon, authenticated, service_role, reelbase_api, reelbase_worker, reelbase_admin;
grant select (id, name, category, description, cost_per_generation, pricing_type, credits_per_second, required_fields,
  has_audio, is_featured, thumbnail_url, provider, sunset_at, is_active, is_available) on models to anon, authenticated;
grant select on themes to anon, authenticated;
grant execute on function get_models(), get_themes(text), model_is_offered(boolean, text, timestamptz)
  to anon, authenticated;
grant execute on function retire_models(integer), move_default_model(), record_foreign_result(uuid, text, text, boolean) to reelbase_worker;
-- What admins do: each of these checks first whether the caller is one.
grant execute on function admin_list_models(jsonb),
  admin_list_themes(jsonb),
  admin_model_margins(uuid, jsonb, jsonb),
  admin_preview_model(jsonb),
  admin_save_model(jsonb),
  admin_save_theme(jsonb),
  admin_toggle_model(jsonb) to authenticated;
grant execute on function import_model(jsonb, text, boolean), find_provider_cost(text, text) to reelbase_admin;
