-- What a generation will cost us at its provider, in millionths of a dollar; options with a surcharge cost us as much
-- more as they cost the user. 0 when the model's cost is not known.
create or replace function internal.estimate_provider_cost(p_model_id uuid, p_settings jsonb) returns bigint
language sql stable security definer set search_path = internal, public, pg_temp as $$
  select coalesce((
    select round(m.provider_cost * 1000000
      * case when m.pricing_type = 'per_second' then coalesce((p_settings ->> 'duration')::integer, 1) else 1 end
      * (100 + surcharge_percent(m.required_fields, p_settings)) / 100.0)::bigint
    from models m where m.id = p_model_id), 0)
$$;
comment on function internal.estimate_provider_cost(uuid, jsonb) is 'Expected cost of a generation at its provider, in micros (1,000,000 to the dollar).';
