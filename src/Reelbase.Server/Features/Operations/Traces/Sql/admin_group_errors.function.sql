-- Errors of the last hours in groups: how many of each code at each endpoint, how many users, since when.
create or replace function admin_group_errors(p_request jsonb) returns jsonb
language plpgsql stable security definer set search_path = internal, public, pg_temp as $$
declare
  v_admin uuid := require_admin();
  v_hours integer := read_admin_integer(p_request, 'hours', 1, 720, 24);
begin
  -- Grouping reads the rows of its hours and no more than a hundred thousand of them.
  return jsonb_build_object('rows', (select coalesce(jsonb_agg(jsonb_build_object('error_code', g.error_code, 'endpoint', g.endpoint, 'count', g.count,
      'users', g.users, 'first_at', to_json_time(g.first_at), 'last_at', to_json_time(g.last_at)) order by g.count desc, g.error_code), '[]')
    from (select error_code, endpoint, sum(occurrences) as count, count(distinct user_id) as users, min(created_at) as first_at, max(created_at) as last_at
      from (select * from error_log where created_at > now() - make_interval(hours => v_hours) order by created_at desc limit 100000) e
      group by error_code, endpoint order by sum(occurrences) desc limit 200) g));
end
$$;
comment on function admin_group_errors(jsonb) is
  '{"rows":[...]}. Raises ERR_4000, ERR_4005, ERR_4006.';
