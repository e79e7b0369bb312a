-- The figures of a user in the shape of the HTTP contract.
create or replace function admin_user_stats(p_request jsonb) returns jsonb
language plpgsql stable security definer set search_path = internal, public, pg_temp as $$
declare
  v_admin uuid := require_admin();
  v_user users;
begin
  select (coalesce(m, u)).* into v_user from users u left join users m on m.id = u.merged_into
  where u.id = read_admin_uuid(p_request, 'user_id', 'user');
  if v_user.id is null then
    perform raise_error('ERR_4007', '{"what":"user"}');
  end if;
  return jsonb_build_object('user', describe_user(v_user), 'stats', count_user_jobs(v_user.id),
    'recent_transactions', admin_list_ledger(jsonb_build_object('user_id', v_user.id, 'limit', 20)) -> 'rows');
end
$$;
comment on function admin_user_stats(jsonb) is
  '{user, stats, recent_transactions}. Raises ERR_4000, ERR_4005, ERR_4006, ERR_4007.';
