-- The settings that a generation will really use: what the request says, else the theme, else the model's default.
-- A whole duration from 1 to 60 snaps to the nearest option (the shorter one when two are equally near), "auto" means
-- the default, and a setting of the common vocabulary that this model does not have is left out, because one app
-- screen serves every model. Anything else that the model does not list is ERR_4003.
create or replace function internal.resolve_settings(p_required_fields jsonb, p_theme_settings jsonb, p_settings jsonb)
returns jsonb language plpgsql immutable as $$
declare
  c_vocabulary constant text[] := array['duration', 'resolution', 'aspect_ratio', 'audio', 'negative_prompt', 'seed', 'fps'];
  v_specs jsonb := coalesce(p_required_fields -> 'settings', '{}');
  v_result jsonb := '{}';
  v_key text;
  v_spec jsonb;
  v_value jsonb;
  v_asked boolean;
begin
  -- Nearly every app asks in the common words alone.
  if p_settings - c_vocabulary <> '{}' then
    for v_key in select jsonb_object_keys(p_settings) loop
      if not v_specs ? v_key and v_key <> all (c_vocabulary) then
        perform raise_error('ERR_4003', jsonb_build_object('field', 'settings.' || left(v_key, 64), 'reason', 'unknown_setting'));
      end if;
    end loop;
  end if;
  for v_key, v_spec in select * from jsonb_each(v_specs) loop
    if not (p_settings ? v_key or p_theme_settings ? v_key) then
      if v_spec ? 'default' then
        v_result := v_result || jsonb_build_object(v_key, v_spec -> 'default');
      end if;
      continue;
    end if;
    v_asked := jsonb_typeof(p_settings -> v_key) is distinct from 'null' and p_settings ? v_key;
    v_value := case when v_asked then p_settings -> v_key else p_theme_settings -> v_key end;
    if v_value = '"auto"' and not coalesce(v_spec -> 'options', '[]') @> '"auto"' then
      v_value := null;
    end if;
    if v_key = 'duration' and v_value is not null then
      v_value := internal.snap_duration(v_value, v_spec -> 'options');
    elsif v_value is not null and (
        (v_spec ? 'options' and not v_spec -> 'options' @> v_value)
        or (not v_spec ? 'options' and v_spec ? 'type' and jsonb_typeof(v_value) <> v_spec ->> 'type')
        or jsonb_typeof(v_value) in ('object', 'array')
        or char_length(v_value #>> '{}') > 500) then
      v_value := 'null';
    end if;
    if v_value = 'null' and v_asked then
      perform raise_error('ERR_4003', jsonb_strip_nulls(jsonb_build_object(
        'field', 'settings.' || v_key, 'reason', 'not_an_option', 'options', v_spec -> 'options')));
    end if;
    v_value := coalesce(nullif(v_value, 'null'), v_spec -> 'default');
    if v_value is not null then
      v_result := v_result || jsonb_build_object(v_key, v_value);
    end if;
  end loop;
  return v_result;
end
$$;
comment on function internal.resolve_settings(jsonb, jsonb, jsonb) is
  'Request over theme over model default; snaps the duration. Raises ERR_4003 (unknown_setting, not_an_option).';
