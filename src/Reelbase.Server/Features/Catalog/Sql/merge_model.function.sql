-- A model's row with the fields that are named changed, not yet written; a row that there is not begins empty and switched off.
create or replace function internal.merge_model(p_old models, p_fields jsonb) returns models
language plpgsql set search_path = internal, public, pg_temp as $$
declare
  v_old models := p_old;
  v_unknown text;
begin
  select key into v_unknown from jsonb_object_keys(p_fields) key where key not in ('name', 'category', 'description', 'cost_per_generation',
    'provider', 'provider_model_id', 'is_featured', 'is_available', 'is_active', 'pricing_type', 'credits_per_second', 'required_fields',
    'has_audio', 'thumbnail_url', 'sunset_at', 'replacement_model_id', 'provider_cost', 'provider_unit_cost', 'provider_input', 'operator_note', 'vendor') limit 1;
  if v_unknown is not null then
    perform raise_error('ERR_4000', jsonb_build_object('field', left(v_unknown, 64), 'reason', 'unknown'));
  end if;
  if v_old.id is null then
    v_old.id := gen_random_uuid();
    v_old.category := 'text_to_video';
    v_old.cost_per_generation := 1;
    v_old.is_featured := false;
    v_old.is_available := false;
    v_old.is_active := false;
    v_old.pricing_type := 'per_generation';
    v_old.required_fields := '{"requires_prompt":true,"requires_image":false,"settings":{}}';
    v_old.has_audio := false;
    v_old.provider_input := '{}';
    v_old.created_at := now();
  end if;
  return jsonb_populate_record(v_old, p_fields);
end
$$;
comment on function internal.merge_model(models, jsonb) is 'The row that a change of a model would make. Raises ERR_4000 for a field that there is not. Internal to admin_save_model and describe_model.';
