-- Makes a model (no model_id) or changes one; only the fields that are named change. What does not fit together (an option that is not
-- offered, a price of nothing, a second active model's place) is refused by the table's own rules.
create or replace function admin_save_model(p_request jsonb) returns jsonb
language plpgsql security definer set search_path = internal, public, pg_temp as $$
declare
  v_admin uuid := require_operator();
  v_id uuid := read_admin_uuid(p_request, 'model_id', 'model', false);
  v_fields jsonb := p_request - array['model_id', 'reason'];
  v_old models;
  v_new models;
  v_text text;
  v_constraint text;
begin
  if v_id is not null then
    select * into v_old from models where id = v_id for no key update;
    if not found then
      perform raise_error('ERR_4007', '{"what":"model"}');
    end if;
  end if;
  begin
    v_new := merge_model(v_old, v_fields);
    if coalesce(v_new.is_active, false) and not coalesce(v_old.is_active, false) then
      update models set is_active = false where is_active and id <> v_new.id;
    end if;
    if v_id is null then
      insert into models select (v_new).*;
    else
      update models set name = v_new.name, category = v_new.category, description = v_new.description,
        cost_per_generation = v_new.cost_per_generation, provider = v_new.provider, provider_model_id = v_new.provider_model_id,
        is_featured = v_new.is_featured, is_available = v_new.is_available, is_active = v_new.is_active, pricing_type = v_new.pricing_type,
        credits_per_second = v_new.credits_per_second, required_fields = v_new.required_fields, has_audio = v_new.has_audio,
        thumbnail_url = v_new.thumbnail_url, sunset_at = v_new.sunset_at, replacement_model_id = v_new.replacement_model_id,
        provider_cost = v_new.provider_cost, provider_unit_cost = v_new.provider_unit_cost, provider_input = v_new.provider_input,
        operator_note = v_new.operator_note, vendor = v_new.vendor
      where id = v_id;
    end if;
    -- A model whose own defaults cannot be priced, or whose limit is no number, would fail every press.
    perform require_prompt_fits(v_new.required_fields, '');
    perform price_generation(v_new.cost_per_generation, v_new.pricing_type, v_new.credits_per_second, v_new.required_fields,
      resolve_settings(v_new.required_fields, '{}', '{}'));
  exception
    when sqlstate 'RB001' then raise;
    -- What is wrong with the request of a model is said, since nobody would find it otherwise.
    when check_violation then
      get stacked diagnostics v_constraint = constraint_name, v_text = message_text;
      perform raise_error('ERR_4000', case when v_constraint = 'models_input'
        then jsonb_build_object('field', 'provider_input', 'reason', left(v_text, 300)) else '{"field":"model","reason":"does_not_fit_together"}' end);
    when integrity_constraint_violation or data_exception or invalid_parameter_value or cannot_coerce or datatype_mismatch then
      perform raise_error('ERR_4000', '{"field":"model","reason":"does_not_fit_together"}');
  end;
  perform write_admin_action(v_admin, case when v_id is null then 'model_create' else 'model_edit' end, p_request, null, v_new.id, null, null,
    jsonb_build_object('changed', v_fields));
  return jsonb_build_object('success', true, 'model_id', v_new.id);
end
$$;
comment on function admin_save_model(jsonb) is
  '{"success":true,"model_id":uuid}. Raises ERR_4000, ERR_4005, ERR_4006, ERR_4007.';
