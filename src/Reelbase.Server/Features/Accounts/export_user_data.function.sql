-- Everything that is kept about the caller, for a privacy request. Each list holds its newest p_max_rows rows and says that bound.
create or replace function export_user_data(p_max_rows integer) returns jsonb
language plpgsql stable security definer set search_path = public, pg_temp as $$
declare
  v_me uuid := require_caller();
  v_ids uuid[] := my_user_ids();
begin
  return jsonb_build_object(
    'exported_at', to_json_time(clock_timestamp()),
    'profile', (select with_json_times(to_jsonb(u) - 'is_admin', 'language_chosen_at', 'banned_at', 'deleted_at', 'created_at', 'updated_at') from users u where u.id = v_me),
    'merged_accounts', (select coalesce(jsonb_agg(jsonb_build_object('id', u.id, 'device_id', u.device_id, 'created_at', to_json_time(u.created_at))), '[]')
      from users u where u.merged_into = v_me),
    'ledger', (select coalesce(jsonb_agg(with_json_times(to_jsonb(q), 'created_at') order by q.seq), '[]') from (
      select seq, change, reason, job_id, transaction_id, balance_after, created_at from quota_log
      where user_id = any (v_ids) order by seq desc limit p_max_rows) q),
    'videos', (select coalesce(jsonb_agg(with_json_times(to_jsonb(j), 'created_at', 'completed_at') order by j.created_at), '[]') from (
      select job_id, model_name, prompt, settings, image_url, status, credits_used, error_code, video_url, thumbnail_url, created_at, completed_at
      from video_jobs where user_id = any (v_ids) and deleted_at is null order by created_at desc limit p_max_rows) j),
    'files', (select coalesce(jsonb_agg(with_json_times(to_jsonb(o), 'stored_at') order by o.name), '[]') from (
      select bucket, name, size_bytes, content_type, stored_at from storage_objects
      where user_id = any (v_ids) and state = 'stored' order by name limit p_max_rows) o),
    'purchases', (select coalesce(jsonb_agg(with_json_times(to_jsonb(p), 'purchased_at', 'credited_at') order by p.purchased_at), '[]') from (
      select environment, transaction_id, product_id, quantity, credits, price_milliunits, currency, credits_taken_back, purchased_at, credited_at
      from purchases where user_id = any (v_ids) order by purchased_at desc limit p_max_rows) p),
    'consents', (select coalesce(jsonb_agg(jsonb_build_object('kind', c.kind, 'version', c.version, 'granted_at', to_json_time(c.granted_at),
      'withdrawn_at', to_json_time(c.withdrawn_at)) order by c.granted_at), '[]') from user_consents c where c.user_id = any (v_ids)),
    'devices', (select coalesce(jsonb_agg(jsonb_build_object('device_id', d.device_id, 'bit0', d.bit0, 'bit1', d.bit1,
      'last_query_at', to_json_time(d.last_query_at), 'created_at', to_json_time(d.created_at))), '[]') from device_checks d where d.user_id = any (v_ids)),
    'sessions', (select coalesce(jsonb_agg(jsonb_build_object('id', s.id, 'method', s.method, 'created_at', to_json_time(s.created_at),
      'refreshed_at', to_json_time(s.refreshed_at), 'revoked_at', to_json_time(s.revoked_at)) order by s.created_at), '[]') from sessions s where s.user_id = any (v_ids)),
    'push_tokens', (select coalesce(jsonb_agg(jsonb_build_object('token', t.token, 'environment', t.environment, 'kind', t.kind,
      'registered_at', to_json_time(t.registered_at))), '[]') from push_tokens t where t.user_id = any (v_ids)),
    'errors', (select coalesce(jsonb_agg(with_json_times(to_jsonb(e), 'created_at') order by e.created_at), '[]') from (
      select error_code, endpoint, trace_id, created_at from error_log
      where user_id = any (v_ids) order by created_at desc limit p_max_rows) e),
    'max_rows_per_list', p_max_rows);
end
$$;
comment on function export_user_data(integer) is 'Everything kept about the caller, each list with its newest p_max_rows rows. Raises ERR_4005, ERR_4006.';
