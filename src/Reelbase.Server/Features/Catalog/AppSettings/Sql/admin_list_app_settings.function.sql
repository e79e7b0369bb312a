-- Flags and limits: what is set, by whom and when, and which limits can be set within which bounds.
create or replace function admin_list_app_settings(p_request jsonb) returns jsonb
language plpgsql stable security definer set search_path = internal, public, pg_temp as $$
declare
  v_admin uuid := require_admin();
begin
  return jsonb_build_object(
    'rows', (select coalesce(jsonb_agg(jsonb_build_object('key', s.key, 'value', s.value, 'updated_at', to_json_time(s.updated_at),
        'updated_by', u.email) order by s.key), '[]')
      from app_settings s left join users u on u.id = s.updated_by where strpos(s.key, ':') = 0),
    'limits', (select jsonb_agg(jsonb_build_object('key', l.key, 'min', l.min, 'max', l.max, 'value', s.value, 'updated_at', to_json_time(s.updated_at),
        'updated_by', u.email) order by l.key)
      from app_setting_limits() l left join app_settings s on s.key = l.key left join users u on u.id = s.updated_by));
end
$$;
comment on function admin_list_app_settings(jsonb) is '{"rows":[...],"limits":[...]}. Raises ERR_4005, ERR_4006.';
