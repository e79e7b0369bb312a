-- The calling admin's open sessions of admin sign-in: consoles, and tokens of the command line.
create or replace function admin_list_sessions(p_request jsonb) returns jsonb
language plpgsql stable security definer set search_path = internal, public, pg_temp as $$
declare
  v_me uuid := require_admin();
begin
  return jsonb_build_object('rows', (select coalesce(jsonb_agg(jsonb_build_object('session_id', s.id, 'created_at', to_json_time(s.created_at),
    'last_used_at', to_json_time(greatest(s.refreshed_at, s.created_at)), 'is_current', s.id is not distinct from (auth.jwt() ->> 'session_id')::uuid)
    order by s.created_at desc, s.id), '[]')
    from sessions s where s.user_id = v_me and s.method = 'admin' and s.revoked_at is null));
end
$$;
comment on function admin_list_sessions(jsonb) is
  '{"rows":[...]}. Raises ERR_4005, ERR_4006.';
