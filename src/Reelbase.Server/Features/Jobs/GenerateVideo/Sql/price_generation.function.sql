-- What a generation costs in credits. The one price: it is charged, answered and refunded. A model may name surcharges
-- in percent per option (sound and 4k cost us a multiple) and per combination of options, which add up and round up.
create or replace function internal.price_generation(
  p_cost_per_generation integer, p_pricing_type text, p_credits_per_second integer,
  p_required_fields jsonb, p_settings jsonb)
returns integer language plpgsql immutable as $$
begin
  return ceil(
    case when p_pricing_type = 'per_second' and p_settings ? 'duration'
      then p_credits_per_second * (p_settings ->> 'duration')::integer
      else p_cost_per_generation end
    * (100 + internal.surcharge_percent(p_required_fields, p_settings)) / 100.0)::integer;
end
$$;
comment on function internal.price_generation(integer, text, integer, jsonb, jsonb) is 'The price of a generation in credits.';
