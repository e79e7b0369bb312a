-- Every model, also those that are not offered, with what it costs us and how it does.
create or replace function admin_list_models(p_request jsonb) returns jsonb
language plpgsql stable security definer set search_path = internal, public, pg_temp as $$
declare
  v_admin uuid := require_admin();
begin
  return jsonb_build_object('rows', (select coalesce(jsonb_agg(with_json_times(to_jsonb(m), 'created_at', 'sunset_at', 'paused_at', 'seconds_measured_at') || jsonb_build_object(
      'is_offered', model_is_offered(m.is_available, m.provider_model_id, m.sunset_at) and provider_is_offered(m.provider),
      'default_price', price_generation(m.cost_per_generation, m.pricing_type, m.credits_per_second, m.required_fields,
        resolve_settings(m.required_fields, '{}', '{}')))
    order by m.is_featured desc, m.name), '[]') from (select * from models order by name limit 500) m));
end
$$;
comment on function admin_list_models(jsonb) is
  '{"rows":[...]}. Raises ERR_4005, ERR_4006.';
