-- What went out and what waits: pushes and alerts, newest first. Phones are distinguished by the last six characters of their token.
create or replace function admin_list_outbox(p_request jsonb) returns jsonb
language plpgsql stable security definer set search_path = internal, public, pg_temp as $$
declare
  v_admin uuid := require_admin();
  v_limit integer := read_admin_integer(p_request, 'limit', 1, 100, 25);
begin
  return jsonb_build_object(
    'pushes', (select coalesce(jsonb_agg(jsonb_build_object('id', n.id, 'user_id', n.user_id, 'job_id', n.job_id, 'event', n.event, 'environment', n.environment,
        'phone', right(n.token, 6), 'status', n.status, 'attempt', n.attempt, 'last_error', n.last_error, 'created_at', to_json_time(n.created_at),
        'finished_at', to_json_time(n.finished_at)) order by n.created_at desc), '[]')
      from (select * from push_notifications order by created_at desc, id limit v_limit) n),
    'alerts', (select coalesce(jsonb_agg(jsonb_build_object('id', a.id, 'kind', a.kind, 'message', a.message, 'status', a.status, 'attempt', a.attempt,
        'last_error', a.last_error, 'created_at', to_json_time(a.created_at)) order by a.id desc), '[]')
      from (select * from alerts order by id desc limit v_limit) a));
end
$$;
comment on function admin_list_outbox(jsonb) is
  '{"pushes":[...],"alerts":[...]}. Raises ERR_4000, ERR_4005, ERR_4006.';
