-- One job from acceptance to push: its row, its timeline, each submission with what the provider said, its ledger rows and files.
create or replace function admin_get_job(p_request jsonb) returns jsonb
language plpgsql stable security definer set search_path = internal, public, pg_temp as $$
declare
  v_admin uuid := require_admin();
  v_job video_jobs;
begin
  select * into v_job from video_jobs where job_id = read_admin_uuid(p_request, 'job_id', 'job');
  if not found then
    perform raise_error('ERR_4007', '{"what":"job"}');
  end if;
  return jsonb_build_object(
    'job', describe_job(v_job),
    'queue_position', queue_position(v_job.job_id),
    'timeline', (select coalesce(jsonb_agg(jsonb_build_object('at', to_json_time(t.at), 'what', t.what, 'detail', t.detail) order by t.at), '[]')
      from find_trace(v_job.job_id::text) t),
    'submissions', (select coalesce(jsonb_agg(jsonb_build_object('id', s.id, 'attempt', s.attempt, 'provider', s.provider,
        'provider_job_id', s.provider_job_id, 'outcome', s.outcome, 'detail', s.detail, 'created_at', to_json_time(s.created_at), 'answered_at', to_json_time(s.answered_at),
        'expected_cost_micros', s.expected_cost_micros) order by s.attempt), '[]') from job_submissions s where s.job_id = v_job.job_id),
    'ledger', (select coalesce(jsonb_agg(jsonb_build_object('seq', q.seq, 'change', q.change, 'reason', q.reason, 'balance_after', q.balance_after,
        'created_at', to_json_time(q.created_at)) order by q.seq), '[]') from quota_log q where q.job_id = v_job.job_id),
    'deliveries', (select coalesce(jsonb_agg(jsonb_build_object('id', d.id, 'event_type', d.event_type, 'status', d.status, 'last_error', d.last_error,
        'created_at', to_json_time(d.created_at)) order by d.id), '[]') from webhook_deliveries d where d.job_id = v_job.job_id),
    'files', (select coalesce(jsonb_agg(jsonb_build_object('bucket', o.bucket, 'name', o.name, 'state', o.state, 'size_bytes', o.size_bytes)), '[]')
      from storage_objects o where o.job_id = v_job.job_id),
    'audit', admin_list_actions(jsonb_build_object('target_id', v_job.job_id)) -> 'rows');
end
$$;
comment on function admin_get_job(jsonb) is
  'A job and everything that belongs to it. Raises ERR_4000, ERR_4005, ERR_4006, ERR_4007.';
