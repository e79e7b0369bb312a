-- What admins did, newest first, by admin, by target or all of it; a page by id.
create or replace function admin_list_actions(p_request jsonb) returns jsonb
language plpgsql stable security definer set search_path = internal, public, pg_temp as $$
declare
  v_me uuid := require_admin();
  v_admin uuid := read_admin_uuid(p_request, 'admin_user_id', 'user', false);
  v_target uuid := read_admin_uuid(p_request, 'target_user_id', 'user', false);
  v_target_id text := read_admin_text(p_request, 'target_id', 200);
  v_limit integer := read_admin_integer(p_request, 'limit', 1, 1000, 50);
  v_before bigint := read_admin_integer(p_request, 'before', 0, 9000000000000000, 9000000000000000);
  v_rows jsonb;
begin
  select coalesce(jsonb_agg(r order by (r ->> 'id')::bigint desc), '[]') into v_rows from (
    select jsonb_build_object('id', a.id, 'admin_user_id', a.admin_user_id, 'admin_email', w.email, 'action_type', a.action_type,
      'target_user_id', a.target_user_id, 'target_model_id', a.target_model_id, 'target_id', a.target_id, 'amount', a.amount,
      'reason', a.reason, 'details', a.details, 'created_at', to_json_time(a.created_at)) as r
    from admin_actions a left join users w on w.id = a.admin_user_id
    where a.id < v_before and (v_admin is null or a.admin_user_id = v_admin) and (v_target is null or a.target_user_id = v_target)
      and (v_target_id is null or a.target_id = v_target_id)
    order by a.id desc limit v_limit) page;
  return jsonb_build_object('rows', v_rows, 'next_before', case when jsonb_array_length(v_rows) = v_limit then (v_rows -> -1 ->> 'id')::bigint end);
end
$$;
comment on function admin_list_actions(jsonb) is
  '{"rows":[...],"next_before":id or null}. Raises ERR_4000, ERR_4005, ERR_4006, ERR_4007.';
