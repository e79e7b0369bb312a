-- Makes a row of an endpoint's own document, or brings the row of that endpoint up to date, and switches it off with the reason: somebody reviews it, generates one
-- video and switches it on. A row that is on offer is not touched. p_write false: only says what it would be. Answers what describe_model says and the row's id.
create or replace function import_model(p_fields jsonb, p_reason text, p_write boolean) returns jsonb
language plpgsql security definer set search_path = internal, public, pg_temp as $$
declare
  v_old models;
  v_new models;
  v_key text;
  v_spec jsonb;
begin
  select * into v_old from models
  where provider = p_fields ->> 'provider' and provider_model_id = p_fields ->> 'provider_model_id' and category = p_fields ->> 'category'
  order by is_available desc, created_at limit 1 for no key update;
  if v_old.is_available or v_old.is_active then
    raise exception 'there is a row of this endpoint and it is on offer (%, %): switch it off first, or edit it', v_old.name, v_old.id using errcode = 'object_in_use';
  end if;
  v_new := merge_model(v_old, p_fields || case when v_old.id is null then '{}' else jsonb_build_object('name', v_old.name) end);
  -- A document says no prices: what somebody has said of an option's stays until it is said anew.
  for v_key, v_spec in select s.key, s.value -> 'surcharge_percent' from jsonb_each(coalesce(v_old.required_fields -> 'settings', '{}')) s
      where s.value ? 'surcharge_percent' loop
    if v_new.required_fields #> array['settings', v_key] is not null and v_new.required_fields #> array['settings', v_key, 'surcharge_percent'] is null then
      v_new.required_fields := jsonb_set(v_new.required_fields, array['settings', v_key, 'surcharge_percent'], v_spec);
    end if;
  end loop;
  v_new.is_available := false;
  v_new.paused_at := now();
  v_new.paused_reason := left(p_reason, 1000);
  if p_write then
    insert into models select (v_new).*
    on conflict (id) do update set description = v_new.description, category = v_new.category, cost_per_generation = v_new.cost_per_generation,
      pricing_type = v_new.pricing_type, credits_per_second = v_new.credits_per_second, required_fields = v_new.required_fields,
      provider_input = v_new.provider_input, has_audio = v_new.has_audio, provider_cost = v_new.provider_cost, paused_at = v_new.paused_at,
      paused_reason = v_new.paused_reason, vendor = v_new.vendor;
  end if;
  return describe_model(v_new) || jsonb_build_object('model_id', v_new.id, 'was_there', v_old.id is not null);
end
$$;
comment on function import_model(jsonb, text, boolean) is
  'Makes or renews the row of an endpoint, switched off; with p_write false it only says what it would be. Raises object_in_use for a row that is on offer.';
