-- What is wrong with a model's surcharges for combinations of options, or null. They are prices: nothing but whole percents above zero, for options that there are.
create or replace function internal.surcharges_fault(p_required_fields jsonb) returns text
language plpgsql immutable set search_path = internal, public, pg_temp as $$
declare
  v_entry jsonb;
  v_key text;
  v_value jsonb;
begin
  if not p_required_fields ? 'combination_surcharges' then
    return null;
  elsif jsonb_typeof(p_required_fields -> 'combination_surcharges') <> 'array' then
    return 'combination_surcharges is an array';
  end if;
  for v_entry in select * from jsonb_array_elements(p_required_fields -> 'combination_surcharges') loop
    if jsonb_typeof(v_entry) <> 'object' or jsonb_typeof(v_entry -> 'when') is distinct from 'object' or v_entry -> 'when' = '{}'
      or coalesce(v_entry ->> 'percent', '') !~ '^[0-9]{1,4}$' or jsonb_typeof(v_entry -> 'percent') <> 'number'
      or exists (select from jsonb_object_keys(v_entry) key where key not in ('when', 'percent')) then
      return 'a combination is {"when": {setting: option, ...}, "percent": 0 to 9999}';
    end if;
    for v_key, v_value in select * from jsonb_each(v_entry -> 'when') loop
      if not coalesce(p_required_fields -> 'settings' -> v_key -> 'options', '[]') @> v_value or jsonb_typeof(v_value) in ('array', 'object') then
        return format('a combination names %s %s, which is no option', left(v_key, 64), left(v_value::text, 64));
      end if;
    end loop;
  end loop;
  return null;
end
$$;
comment on function internal.surcharges_fault(jsonb) is 'What is wrong with required_fields'' combination_surcharges; null when nothing is.';
