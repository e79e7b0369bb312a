-- What is to be said of a former catalogue: prices that were converted, models that nobody can generate with any more.
create or replace function internal.import_catalog_findings(p_models jsonb) returns table (code text, line text)
language plpgsql stable set search_path = internal, public, pg_temp set timezone = 'UTC' as $$
#variable_conflict use_column
declare
  v_model jsonb;
  v_price record;
  v_end timestamptz;
  v_active text;
  v_ended text;
begin
  for v_model in select m from jsonb_array_elements(p_models) m loop
    v_price := import_price(v_model);
    if v_price.is_converted then
      return query select 'price_converted', format('model %s (%s): base_price %s %s is %s here, so 12 seconds cost %s credits (cost_per_generation said %s)%s',
        v_model ->> 'id', v_model ->> 'name', v_model ->> 'base_price', case v_price.pricing_type when 'per_second' then 'a second' else 'a generation' end,
        case v_price.pricing_type when 'per_second' then v_price.credits_per_second || ' credits a second' else v_price.cost || ' credits a generation' end,
        price_generation(v_price.cost, v_price.pricing_type, v_price.credits_per_second, '{}', '{"duration":12}'), coalesce(v_model ->> 'cost_per_generation', 'nothing'),
        case when v_price.is_rounded then '; credits are whole here, so the price was rounded up' else '' end);
    end if;
    v_end := vendor_shutdown(v_model ->> 'provider_model_id', v_model ->> 'name');
    if v_end is not null then
      return query select 'model_shut_down', format('model %s (%s) was shut down by its vendor on %s: it is not offered', v_model ->> 'id', v_model ->> 'name', v_end::date);
    elsif nullif(v_model ->> 'provider_model_id', '') is null then
      return query select 'model_not_offered', format('model %s (%s) has no provider_model_id: it is not offered until it gets one', v_model ->> 'id', v_model ->> 'name');
    end if;
    if (v_model ->> 'is_active')::boolean then
      if v_end is null and nullif(v_model ->> 'provider_model_id', '') is not null then
        v_active := v_model ->> 'name';
      elsif v_end is not null then
        v_ended := v_model ->> 'name';
      end if;
    end if;
  end loop;
  if v_active is null and v_ended is not null then
    return query select 'active_model_shut_down', format('the only active model, %s, was shut down by its vendor: requests with a theme go to %s', v_ended,
      coalesce((select 'the active model of this installation, ' || m.name from models m where m.is_active and model_is_offered(m.is_available, m.provider_model_id, m.sunset_at)),
        'nobody until an admin makes another model active'));
  elsif v_active is null then
    return query select 'active_model_missing', 'no active model of the former app can be generated with: requests with a theme go to this installation''s active one';
  end if;
end
$$;
comment on function internal.import_catalog_findings(jsonb) is 'Lines of the report about models. For the import, which runs as the owner.';
