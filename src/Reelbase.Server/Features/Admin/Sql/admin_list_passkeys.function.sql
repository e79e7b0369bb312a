-- The calling admin's passkeys; an operator sees another admin's by user_id.
create or replace function admin_list_passkeys(p_request jsonb) returns jsonb
language plpgsql stable security definer set search_path = internal, public, pg_temp as $$
declare
  v_me uuid := require_admin();
  v_user uuid := coalesce(read_admin_uuid(p_request, 'user_id', 'user', false), v_me);
begin
  if v_user <> v_me then
    perform require_operator();
  end if;
  return jsonb_build_object('rows', (select coalesce(jsonb_agg(jsonb_build_object('passkey_id', p.id, 'name', p.name,
    'created_at', to_json_time(p.created_at), 'last_used_at', to_json_time(p.last_used_at)) order by p.created_at, p.id), '[]')
    from admin_passkeys p where p.user_id = v_user));
end
$$;
comment on function admin_list_passkeys(jsonb) is
  '{"rows":[...]}. Raises ERR_4005, ERR_4006, ERR_4007.';
