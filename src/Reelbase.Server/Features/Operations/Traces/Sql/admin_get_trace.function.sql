-- Everything that belongs to a trace id or a job.
create or replace function admin_get_trace(p_request jsonb) returns jsonb
language plpgsql stable security definer set search_path = internal, public, pg_temp as $$
declare
  v_admin uuid := require_admin();
begin
  return jsonb_build_object('rows', (select coalesce(jsonb_agg(with_json_times(to_jsonb(t), 'at') order by t.at), '[]') from find_trace(read_admin_text(p_request, 'id', 64, true)) t));
end
$$;
comment on function admin_get_trace(jsonb) is
  '{"rows":[...]}. Raises ERR_4000, ERR_4005, ERR_4006.';
