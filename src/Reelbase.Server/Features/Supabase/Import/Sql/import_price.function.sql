-- What a model of the former app costs here. There the price was base_price (a tenth of a credit is 0.01) for each second or for a generation, whatever
-- cost_per_generation said; credits here are whole, so a part of one counts as one.
create or replace function internal.import_price(p_model jsonb, out pricing_type text, out credits_per_second integer, out cost integer, out is_converted boolean, out is_rounded boolean)
language sql immutable set search_path = internal, public, pg_temp as $$
  select p.pricing_type, p.per_second,
    case when p.pricing_type = 'per_generation' and p.listed is null and p.base > 0 then least(ceil(p.base * 10), 1000000)::integer else greatest(coalesce(p.listed, 1), 1) end,
    p.base > 0 and (p.pricing_type = 'per_second' and p.given is null or p.pricing_type = 'per_generation' and p.listed is null),
    p.base > 0 and p.base * 10 <> ceil(p.base * 10)
  from (
    select m.*, case when m.type_of = 'per_second' and (m.given > 0 or m.base > 0) then 'per_second' else 'per_generation' end as pricing_type,
      case when m.given > 0 then m.given when m.type_of = 'per_second' and m.base > 0 then least(ceil(m.base * 10), 1000000)::integer end as per_second
    from (
      select p_model ->> 'pricing_type' as type_of, import_integer(p_model ->> 'credits_per_second') as given, import_integer(p_model ->> 'cost_per_generation') as listed,
        case when p_model ->> 'base_price' ~ '^[0-9]{1,12}(\.[0-9]{1,15})?$' then (p_model ->> 'base_price')::numeric end as base) m) p
$$;
comment on function internal.import_price(jsonb) is 'The price of a model of a former installation, in credits. For the import, which runs as the owner.';
