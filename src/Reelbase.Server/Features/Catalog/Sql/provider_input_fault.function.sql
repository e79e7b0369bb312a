-- What is wrong with a model's provider_input, or null. Each setting that users can choose has to have a place in the request, written in a type that its
-- options can be written in; a constant may not take the place of a setting.
create or replace function internal.provider_input_fault(p_input jsonb, p_required_fields jsonb) returns text
language plpgsql immutable set search_path = internal, public, pg_temp as $$
declare
  c_name constant text := '^[A-Za-z_][A-Za-z0-9_]{0,63}$';
  c_types constant text[] := array['integer', 'number', 'digits', 'text', 'boolean'];
  v_settings jsonb := coalesce(p_required_fields -> 'settings', '{}');
  v_key text;
  v_value jsonb;
  v_option jsonb;
  v_fields text[] := array['prompt', 'promptText', 'model'];
begin
  select key into v_key from jsonb_object_keys(p_input) key where key not in ('picture', 'settings', 'combined', 'always', 'always_on') limit 1;
  if v_key is not null then
    return format('%s is no part of provider_input', v_key);
  end if;
  for v_key, v_value in select * from jsonb_each(p_input) loop
    if jsonb_typeof(v_value) <> (case when v_key in ('combined', 'always_on') then 'array' else 'object' end) then
      return format('%s has the wrong type', v_key);
    end if;
  end loop;
  if p_input ? 'picture' then
    if coalesce(p_input #>> '{picture,field}', '') !~ c_name or coalesce(p_input #>> '{picture,as}', 'address') not in ('address', 'first_frame')
      or exists (select from jsonb_object_keys(p_input -> 'picture') key where key not in ('field', 'as')) then
      return 'picture is {"field": name, "as": "address" or "first_frame"}';
    end if;
    v_fields := v_fields || (p_input #>> '{picture,field}');
  elsif coalesce(p_required_fields ->> 'requires_image', 'false') = 'true' then
    return 'picture is missing: the model requires one';
  end if;
  for v_key, v_value in select * from jsonb_each(coalesce(p_input -> 'settings', '{}')) loop
    if jsonb_typeof(v_value) <> 'object' or coalesce(v_value ->> 'field', '') !~ c_name
      or (v_value ? 'type' and coalesce(v_value ->> 'type', '') <> all (c_types))
      or (v_value ? 'suffix' and (v_value ->> 'type' is distinct from 'digits' or coalesce(v_value ->> 'suffix', '') !~ '^[A-Za-z]{1,10}$'))
      or (v_value ? 'values' and jsonb_typeof(v_value -> 'values') <> 'object')
      or exists (select from jsonb_object_keys(v_value) key where key not in ('field', 'type', 'suffix', 'values'))
      or exists (select from jsonb_each(case when jsonb_typeof(v_value -> 'values') = 'object' then v_value -> 'values' else '{}' end) v
        where jsonb_typeof(v.value) not in ('string', 'number', 'boolean')) then
      return format('settings.%s is {"field": name, "type": integer, number, digits, text or boolean, "suffix": letters after digits, "values": {option: what is sent}}',
        left(v_key, 64));
    end if;
    if v_value ->> 'field' = any (v_fields) then
      return format('settings.%s writes %s, which is taken', left(v_key, 64), v_value ->> 'field');
    end if;
    v_fields := v_fields || (v_value ->> 'field');
    for v_option in select o from jsonb_array_elements(
        case when jsonb_typeof(v_settings -> v_key -> 'options') = 'array' then v_settings -> v_key -> 'options' else '[]' end) o loop
      continue when coalesce(v_value -> 'values', '{}') ? (v_option #>> '{}');
      if (case v_value ->> 'type'
          when 'integer' then v_option::text !~ '^-?[0-9]+$'
          when 'digits' then v_option::text !~ '^[0-9]+$'
          when 'number' then jsonb_typeof(v_option) <> 'number'
          when 'text' then jsonb_typeof(v_option) <> 'string'
          when 'boolean' then jsonb_typeof(v_option) <> 'boolean'
          else false end) then
        return format('settings.%s: the option %s cannot be written as %s', left(v_key, 64), v_option, v_value ->> 'type');
      end if;
    end loop;
  end loop;
  for v_value in select c from jsonb_array_elements(coalesce(p_input -> 'combined', '[]')) c loop
    if jsonb_typeof(v_value) <> 'object' or coalesce(v_value ->> 'field', '') !~ c_name or v_value ->> 'field' = any (v_fields)
      or jsonb_typeof(v_value -> 'settings') is distinct from 'array' or jsonb_typeof(v_value -> 'values') is distinct from 'object'
      or jsonb_array_length(v_value -> 'settings') = 0
      or exists (select from jsonb_array_elements(v_value -> 'settings') s where jsonb_typeof(s) <> 'string')
      or exists (select from jsonb_object_keys(v_value) key where key not in ('field', 'settings', 'values', 'default')) then
      return 'combined is [{"field": name, "settings": [names], "values": {"option|option": what is sent}, "default": what is sent otherwise}]';
    end if;
    v_fields := v_fields || (v_value ->> 'field');
  end loop;
  for v_key, v_value in select * from jsonb_each(coalesce(p_input -> 'always', '{}')) loop
    if v_key !~ c_name or jsonb_typeof(v_value) not in ('string', 'number', 'boolean') then
      return format('always.%s is a field with a text, a number or a boolean', left(v_key, 64));
    elsif v_key = any (v_fields) then
      return format('always.%s is written by a setting', left(v_key, 64));
    end if;
  end loop;
  for v_value in select a from jsonb_array_elements(coalesce(p_input -> 'always_on', '[]')) a loop
    if jsonb_typeof(v_value) <> 'string' or v_settings ? (v_value #>> '{}') then
      return format('always_on names what users cannot choose; %s is a setting or no name', v_value);
    end if;
  end loop;
  select s.key into v_key from jsonb_object_keys(v_settings) s (key)
  where not coalesce(p_input -> 'settings', '{}') ? s.key
    and not exists (select from jsonb_array_elements(coalesce(p_input -> 'combined', '[]')) c where c -> 'settings' ? s.key) limit 1;
  return case when v_key is not null then format('settings.%s has no place in the request', left(v_key, 64)) end;
exception when data_exception then
  return 'provider_input has another shape';
end
$$;
comment on function internal.provider_input_fault(jsonb, jsonb) is 'What is wrong with a model''s provider_input beside its required_fields; null when nothing is.';
