-- A user's whole ledger with the running balance, newest first, a page by seq; the guests that became part of the account belong to it.
create or replace function admin_list_ledger(p_request jsonb) returns jsonb
language plpgsql stable security definer set search_path = internal, public, pg_temp as $$
declare
  v_admin uuid := require_admin();
  v_user uuid := read_admin_uuid(p_request, 'user_id', 'user');
  v_limit integer := read_admin_integer(p_request, 'limit', 1, 100, 50);
  v_before bigint := read_admin_integer(p_request, 'before', 0, 9000000000000000, 9000000000000000);
  v_rows jsonb;
begin
  select coalesce(jsonb_agg(r order by (r ->> 'seq')::bigint desc), '[]') into v_rows from (
    select jsonb_build_object('id', q.id, 'seq', q.seq, 'user_id', q.user_id, 'change', q.change, 'reason', q.reason, 'job_id', q.job_id,
      'transaction_id', q.transaction_id, 'balance_after', q.balance_after, 'note', q.note, 'created_at', to_json_time(q.created_at)) as r
    from users u cross join lateral (
      select * from quota_log l where l.user_id = u.id and l.seq < v_before order by l.seq desc limit v_limit) q
    where u.id = v_user or u.merged_into = v_user
    order by q.seq desc limit v_limit) page;
  return jsonb_build_object('rows', v_rows, 'next_before', case when jsonb_array_length(v_rows) = v_limit then (v_rows -> -1 ->> 'seq')::bigint end);
end
$$;
comment on function admin_list_ledger(jsonb) is
  '{"rows":[...],"next_before":seq or null}. Raises ERR_4000, ERR_4005, ERR_4006, ERR_4007.';
