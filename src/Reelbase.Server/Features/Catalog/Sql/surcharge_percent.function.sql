-- The surcharges of what was chosen, in percent: each option's own and those of combinations, added up.
create or replace function internal.surcharge_percent(p_required_fields jsonb, p_settings jsonb) returns bigint
language plpgsql immutable as $$
declare
  v_percent bigint;
begin
  select coalesce(sum((p_required_fields #>> array['settings', s.key, 'surcharge_percent', s.value])::integer), 0) into v_percent
  from jsonb_each_text(p_settings) s;
  if jsonb_typeof(p_required_fields -> 'combination_surcharges') = 'array' then
    v_percent := v_percent + (select coalesce(sum((c ->> 'percent')::integer), 0)
      from jsonb_array_elements(p_required_fields -> 'combination_surcharges') c where p_settings @> (c -> 'when'));
  end if;
  return v_percent;
end
$$;
comment on function internal.surcharge_percent(jsonb, jsonb) is 'The percents that the chosen options, alone and together, add to a model''s price and to its cost.';
