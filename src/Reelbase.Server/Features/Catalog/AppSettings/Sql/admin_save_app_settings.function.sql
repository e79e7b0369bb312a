-- Sets the keys that p_request.settings names, all or none; null removes one. What a key was and is stands in the audit.
create or replace function admin_save_app_settings(p_request jsonb) returns jsonb
language plpgsql security definer set search_path = internal, public, pg_temp as $$
declare
  v_admin uuid := require_operator();
  v_settings jsonb := p_request -> 'settings';
  v_changed jsonb := '{}';
  v_setting record;
  v_old jsonb;
  v_fault jsonb;
begin
  if jsonb_typeof(v_settings) is distinct from 'object' or v_settings = '{}' then
    perform raise_error('ERR_4000', '{"field":"settings","reason":"required"}');
  end if;
  -- Before anything is read, so that the audit says what was there and not what somebody else is just changing.
  perform pg_advisory_xact_lock(hashtextextended('reelbase:app_settings', 0));
  for v_setting in select e.key, e.value from jsonb_each(v_settings) e order by e.key loop
    v_fault := app_setting_fault(v_setting.key, v_setting.value);
    if v_fault is not null then
      perform raise_error('ERR_4000', jsonb_build_object('field', 'settings.' || left(v_setting.key, 64)) || v_fault);
    end if;
    v_old := (select s.value from app_settings s where s.key = v_setting.key);
    if jsonb_typeof(v_setting.value) = 'null' then
      delete from app_settings where key = v_setting.key;
    elsif v_old is distinct from v_setting.value then
      insert into app_settings (key, value, updated_by) values (v_setting.key, v_setting.value, v_admin)
      on conflict on constraint app_settings_pkey do update set value = excluded.value, updated_by = excluded.updated_by, updated_at = clock_timestamp();
    end if;
    if coalesce(v_old, 'null') is distinct from v_setting.value then
      v_changed := v_changed || jsonb_build_object(v_setting.key, jsonb_build_object('from', v_old, 'to', v_setting.value));
    end if;
  end loop;
  perform write_admin_action(v_admin, 'app_settings_edit', p_request, null, null, null, null, jsonb_build_object('changed', v_changed));
  return jsonb_build_object('success', true, 'changed', (select count(*) from jsonb_object_keys(v_changed)));
end
$$;
comment on function admin_save_app_settings(jsonb) is
  '{"success":true,"changed":n}. Raises ERR_4000 (by key, and nothing changes), ERR_4005, ERR_4006.';
