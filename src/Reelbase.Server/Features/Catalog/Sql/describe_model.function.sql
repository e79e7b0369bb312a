-- What a row would mean, before anything is written: what the app gets of it, what each option costs the user and us, who gets what users send, and what its request is made of (the server
-- makes the request itself from that). fault says why the row would be refused.
create or replace function internal.describe_model(p_model models) returns jsonb
language plpgsql stable set search_path = internal, public, pg_temp as $$
declare
  v_input jsonb := case when p_model.provider_input = '{}'
    then fill_provider_input(p_model.provider, p_model.provider_model_id, p_model.required_fields) else p_model.provider_input end;
  v_settings jsonb := resolve_settings(p_model.required_fields, '{}', '{}');
begin
  return jsonb_build_object(
    'fault', coalesce(surcharges_fault(p_model.required_fields), case when v_input <> '{}' then provider_input_fault(v_input, p_model.required_fields) end),
    'app', jsonb_build_object('id', p_model.id, 'name', p_model.name, 'category', p_model.category, 'description', p_model.description,
      'cost_per_generation', p_model.cost_per_generation, 'pricing_type', p_model.pricing_type, 'credits_per_second', p_model.credits_per_second,
      'required_fields', p_model.required_fields, 'has_audio', p_model.has_audio, 'is_featured', p_model.is_featured, 'thumbnail_url', p_model.thumbnail_url,
      'provider', p_model.provider, 'sunset_at', to_json_time(p_model.sunset_at), 'is_active', p_model.is_active),
    'is_offered', model_is_offered(p_model.is_available, p_model.provider_model_id, p_model.sunset_at),
    'recipients', to_jsonb(model_recipients(p_model)), 'vendor', model_vendor(p_model), 'settings', v_settings, 'provider', p_model.provider, 'provider_model_id', p_model.provider_model_id, 'provider_input', v_input,
    'requires_image', coalesce((p_model.required_fields ->> 'requires_image')::boolean, false),
    'prices', (select coalesce(jsonb_agg(jsonb_build_object('settings', c.chosen,
        'credits', price_generation(p_model.cost_per_generation, p_model.pricing_type, p_model.credits_per_second, p_model.required_fields, c.chosen),
        'cost_micros', round(p_model.provider_cost * 1000000
          * case when p_model.pricing_type = 'per_second' then coalesce((c.chosen ->> 'duration')::integer, 1) else 1 end
          * (100 + surcharge_percent(p_model.required_fields, c.chosen)) / 100.0)::bigint) order by c.place), '[]')
      from (select 0 as place, v_settings as chosen union all
        select row_number() over (), v_settings || jsonb_build_object(s.key, e)
        from jsonb_each(coalesce(p_model.required_fields -> 'settings', '{}')) s,
          jsonb_array_elements(case when jsonb_typeof(s.value -> 'options') = 'array' then s.value -> 'options' else '[]' end) e
        where s.value ? 'surcharge_percent') c));
end
$$;
comment on function internal.describe_model(models) is 'What a model''s row would mean to the app, to its provider and to our costs. Internal to admin_preview_model and import_model.';
