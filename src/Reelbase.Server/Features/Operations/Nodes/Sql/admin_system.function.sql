-- The processes, what is done at night, the last comparison with Apple and the last check of the ledger.
create or replace function admin_system(p_request jsonb) returns jsonb
language plpgsql stable security definer set search_path = internal, public, pg_temp as $$
declare
  v_admin uuid := require_admin();
begin
  return jsonb_build_object(
    'nodes', (select coalesce(jsonb_agg(with_json_times(to_jsonb(n), 'started_at', 'seen_at', 'untrusted_peer_at') || jsonb_build_object('is_alive', n.seen_at > now() - interval '2 minutes') order by n.started_at), '[]') from (select * from nodes order by seen_at desc limit 200) n),
    'outside_systems', (select coalesce(jsonb_agg(with_json_times(to_jsonb(o), 'last_success_at', 'last_failure_at')), '[]') from list_outside_systems() o),
    'schedules', (select coalesce(jsonb_agg(jsonb_build_object('name', s.name, 'last_started_at', to_json_time(s.last_started_at), 'last_finished_at', to_json_time(s.last_finished_at),
        'report', s.report) order by s.name), '[]') from schedules s),
    'reconciliations', (select coalesce(jsonb_agg(with_json_times(to_jsonb(r), 'covered_until', 'started_at', 'finished_at')), '[]') from list_reconciliations() r),
    'dead_work', (select coalesce(jsonb_agg(with_json_times(to_jsonb(d), 'dead_at', 'created_at') order by d.dead_at desc), '[]') from list_dead_work(100) d),
    'storage', describe_storage_use(),
    'shipped_builds', list_unverified_uses(),
    'database', jsonb_build_object('version', current_setting('server_version'), 'size_bytes', pg_database_size(current_database()),
      'users', (select greatest(reltuples, 0)::bigint from pg_class where oid = 'users'::regclass),
      'jobs', (select greatest(reltuples, 0)::bigint from pg_class where oid = 'video_jobs'::regclass),
      'ledger', (select greatest(reltuples, 0)::bigint from pg_class where oid = 'quota_log'::regclass)));
end
$$;
comment on function admin_system(jsonb) is
  'Nodes, schedules, reconciliations, work that was given up and the size of the database. Raises ERR_4005, ERR_4006.';
