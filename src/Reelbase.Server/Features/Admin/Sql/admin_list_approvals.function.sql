-- What waits for another admin, and what was decided, newest first.
create or replace function admin_list_approvals(p_request jsonb) returns jsonb
language plpgsql stable security definer set search_path = internal, public, pg_temp as $$
declare
  v_me uuid := require_admin();
  v_status text := read_admin_text(p_request, 'status', 20);
  v_limit integer := read_admin_integer(p_request, 'limit', 1, 100, 50);
  v_role text := admin_role(v_me);
begin
  if v_status not in ('pending', 'approved', 'declined', 'expired') then
    perform raise_error('ERR_4000', '{"field":"status","reason":"unknown"}');
  end if;
  return jsonb_build_object('rows', (select coalesce(jsonb_agg(r.row order by r.created_at desc, r.id), '[]') from (
    select a.created_at, a.id, jsonb_build_object('approval_id', a.id, 'operation', a.operation, 'user_id', a.target_user_id, 'job_id', a.request ->> 'job_id',
      'amount', a.amount, 'reason', a.request ->> 'reason', 'status', s.status, 'requested_by', a.requested_by, 'requested_by_email', q.email,
      'decided_by', a.decided_by, 'decided_by_email', d.email, 'decided_at', to_json_time(a.decided_at), 'created_at', to_json_time(a.created_at),
      'expires_at', to_json_time(a.expires_at),
      'can_approve', s.status = 'pending' and v_role = 'operator' and a.requested_by <> v_me,
      'can_decline', s.status = 'pending' and v_role = 'operator') as row
    from admin_approvals a
    cross join lateral (select case when a.state = 'pending' and a.expires_at <= clock_timestamp() then 'expired' else a.state end as status) s
    left join users q on q.id = a.requested_by left join users d on d.id = a.decided_by
    where v_status is null or s.status = v_status
    order by a.created_at desc, a.id limit v_limit) r));
end
$$;
comment on function admin_list_approvals(jsonb) is
  '{"rows":[...]}. Raises ERR_4000, ERR_4005, ERR_4006.';
