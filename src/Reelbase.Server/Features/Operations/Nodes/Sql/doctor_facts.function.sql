create or replace function doctor_facts() returns jsonb
language sql stable security definer set search_path = internal, public, pg_temp as $$
  select jsonb_build_object(
    'now', to_json_time(clock_timestamp()),
    'is_read_only', current_setting('transaction_read_only') = 'on',
    'installation', left(encode(sha256(i.id::text::bytea), 'hex'), 16),
    'store_marker', i.store_marker,
    'backed_up_at', to_json_time(i.backed_up_at),
    'is_archiving', current_setting('archive_mode') <> 'off',
    'archived_at', (select to_json_time(a.last_archived_time) from pg_stat_archiver a),
    'archive_failed_at', (select to_json_time(a.last_failed_time) from pg_stat_archiver a),
    'alerts_pending', (select count(*) from alerts a where a.status = 'pending' and a.dead_at is null and a.created_at < now() - interval '10 minutes'),
    'dead_work', (select count(*) from list_dead_work(1000)),
    'unowned', (select count(*) from purchases p where p.user_id is null),
    'negative', (select count(*) from users u where u.credits_remaining < 0),
    'ledger_report', (select s.report from schedules s where s.name = 'ledger_check' and coalesce((s.report::jsonb ->> 'mismatches')::bigint, 0) > 0),
    'queues', (select coalesce(jsonb_agg(to_jsonb(q)), '[]') from (
      select j.provider, extract(epoch from clock_timestamp() - min(j.created_at)) as seconds, count(*) as jobs
      from video_jobs j where j.stage = 'queued' group by j.provider) q),
    'outages', (select coalesce(jsonb_agg(o.provider), '[]') from list_outages() o),
    'products', (select coalesce(jsonb_agg(jsonb_build_object('product_id', p.product_id, 'credits', p.credits)), '[]') from products p where p.is_active),
    'outside_systems', (select coalesce(jsonb_agg(with_json_times(to_jsonb(o), 'last_success_at', 'last_failure_at')), '[]') from list_outside_systems() o),
    'nodes', (select coalesce(jsonb_agg(with_json_times(to_jsonb(n), 'seen_at')), '[]') from list_nodes() n))
  from installation i
$$;
comment on function doctor_facts() is
  'What the database knows of an installation, for the command line: clock, store, backups, nodes, outside systems, what waits, what money needs a check.';
