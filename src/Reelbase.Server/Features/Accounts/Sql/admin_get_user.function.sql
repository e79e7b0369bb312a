-- One user, whole: profile, figures, devices, sessions, consents, purchases, limits, errors and what admins did. Each list is bounded; the
-- ledger and the jobs have pages of their own.
create or replace function admin_get_user(p_request jsonb) returns jsonb
language plpgsql stable security definer set search_path = internal, public, pg_temp as $$
declare
  v_admin uuid := require_admin();
  v_user users;
  v_ids uuid[];
begin
  select * into v_user from users where id = read_admin_uuid(p_request, 'user_id', 'user');
  if not found then
    perform raise_error('ERR_4007', '{"what":"user"}');
  end if;
  select array_agg(id) into v_ids from users where id = v_user.id or merged_into = v_user.id;
  return jsonb_build_object(
    'user', describe_user(v_user),
    'merged_guests', (select coalesce(jsonb_agg(u.id), '[]') from users u where u.merged_into = v_user.id),
    'stats', count_user_jobs(v_user.id),
    'devices', (select coalesce(jsonb_agg(jsonb_build_object('device_id', mask_device_id(d.device_id), 'bit0', d.bit0, 'bit1', d.bit1, 'risk_score', d.risk_score,
        'fraud_flags', d.fraud_flags, 'success_count', d.success_count, 'failure_count', d.failure_count, 'last_query_at', to_json_time(d.last_query_at)) order by d.updated_at desc), '[]')
      from (select * from device_checks where user_id = any (v_ids) order by updated_at desc limit 20) d),
    'sessions', (select coalesce(jsonb_agg(jsonb_build_object('id', s.id, 'method', s.method, 'created_at', to_json_time(s.created_at), 'refreshed_at', to_json_time(s.refreshed_at),
        'revoked_at', to_json_time(s.revoked_at)) order by s.refreshed_at desc), '[]')
      from (select * from sessions where user_id = any (v_ids) order by refreshed_at desc limit 20) s),
    'consents', (select coalesce(jsonb_agg(jsonb_build_object('kind', c.kind, 'version', c.version, 'granted_at', to_json_time(c.granted_at), 'withdrawn_at', to_json_time(c.withdrawn_at))
        order by c.granted_at desc), '[]') from (select * from user_consents where user_id = any (v_ids) order by granted_at desc limit 50) c),
    'purchases', (select coalesce(jsonb_agg(describe_purchase(p) order by p.created_at desc), '[]')
      from (select * from purchases where user_id = v_user.id order by created_at desc limit 50) p),
    'limits', (select coalesce(jsonb_agg(jsonb_build_object('action', l.action, 'count', l.count, 'last_at', to_json_time(l.last_at)) order by l.last_at desc), '[]')
      from (select action, count(*) as count, max(created_at) as last_at from rate_limit_log
        where user_id = any (v_ids) and created_at > now() - interval '1 day' group by action) l),
    'generations_last_hour', (select count(*) from video_jobs where user_id = v_user.id and created_at > now() - interval '1 hour'),
    'errors', (select coalesce(jsonb_agg(jsonb_build_object('id', e.id, 'error_code', e.error_code, 'endpoint', e.endpoint, 'trace_id', e.trace_id,
        'error_details', e.error_details, 'created_at', to_json_time(e.created_at)) order by e.created_at desc), '[]')
      from (select * from error_log where user_id = any (v_ids) order by created_at desc limit 25) e),
    'reports', (select coalesce(jsonb_agg(jsonb_build_object('id', r.id, 'job_id', r.job_id, 'reason', r.reason, 'status', r.status, 'created_at', to_json_time(r.created_at))), '[]')
      from (select * from content_reports where user_id = any (v_ids) order by id desc limit 20) r),
    'audit', (admin_list_actions(jsonb_build_object('target_user_id', v_user.id, 'limit', 50))) -> 'rows');
end
$$;
comment on function admin_get_user(jsonb) is
  'Everything that the console shows of a user. Raises ERR_4000, ERR_4005, ERR_4006, ERR_4007.';
