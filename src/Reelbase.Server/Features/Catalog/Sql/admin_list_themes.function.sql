-- Every theme, also those that are not offered.
create or replace function admin_list_themes(p_request jsonb) returns jsonb
language plpgsql stable security definer set search_path = internal, public, pg_temp as $$
declare
  v_admin uuid := require_admin();
begin
  return jsonb_build_object('rows', (select coalesce(jsonb_agg(with_json_times(to_jsonb(t), 'created_at', 'featured_until') order by t.is_featured desc, t.name), '[]')
    from (select * from themes order by name limit 500) t));
end
$$;
comment on function admin_list_themes(jsonb) is
  '{"rows":[...]}. Raises ERR_4005, ERR_4006.';
