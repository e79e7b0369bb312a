-- Single errors, newest first, of a code, an endpoint or a user.
create or replace function admin_list_errors(p_request jsonb) returns jsonb
language plpgsql stable security definer set search_path = internal, public, pg_temp as $$
declare
  v_admin uuid := require_admin();
  v_code text := read_admin_text(p_request, 'error_code', 20);
  v_endpoint text := read_admin_text(p_request, 'endpoint', 200);
  v_limit integer := read_admin_integer(p_request, 'limit', 1, 100, 25);
  v_before bigint := read_admin_integer(p_request, 'before', 0, 9000000000000000, 9000000000000000);
  v_rows jsonb;
begin
  select coalesce(jsonb_agg(with_json_times(to_jsonb(e) - 'request_data' - 'sample_key', 'created_at') order by e.created_at desc, e.id desc), '[]') into v_rows from (
    select r.* from (select * from error_log where id < v_before order by created_at desc, id
      limit case when v_code is null and v_endpoint is null then v_limit else 20000 end) r
    where (v_code is null or r.error_code = v_code) and (v_endpoint is null or r.endpoint = v_endpoint)
    order by r.created_at desc, r.id desc limit v_limit) e;
  return jsonb_build_object('rows', v_rows, 'next_before', case when jsonb_array_length(v_rows) = v_limit then (v_rows -> -1 ->> 'id')::bigint end);
end
$$;
comment on function admin_list_errors(jsonb) is
  '{"rows":[...],"next_before":id or null}. Raises ERR_4000, ERR_4005, ERR_4006.';
