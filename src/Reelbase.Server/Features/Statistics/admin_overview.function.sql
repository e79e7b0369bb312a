-- The overview of a range: sums by hour (by day when it is longer than three days), what is open now, and each provider. Reads hours, never jobs that have ended.
create or replace function admin_overview(p_request jsonb) returns jsonb
language plpgsql stable security definer set search_path = public, pg_temp as $$
declare
  v_admin uuid := require_admin();
  v_hours integer := read_admin_integer(p_request, 'hours', 1, 8784, 24);
  v_step text := case when v_hours <= 72 then 'hour' else 'day' end;
  v_from timestamptz := date_trunc(v_step, now() - make_interval(hours => v_hours), 'UTC');
begin
  return jsonb_build_object('from', to_json_time(v_from), 'step', v_step,
    'jobs', (select coalesce(jsonb_agg(jsonb_build_object('at', to_json_time(s.at), 'completed', s.completed, 'failed', s.failed, 'accepted', s.accepted,
        'seconds', s.seconds) order by s.at), '[]') from (
      select t.at, coalesce(sum(h.jobs) filter (where h.result = 'completed'), 0) as completed, coalesce(sum(h.jobs) filter (where h.result = 'failed'), 0) as failed,
        coalesce(sum(h.jobs) filter (where h.result = 'accepted'), 0) as accepted,
        coalesce(sum(h.seconds) filter (where h.result = 'completed') / nullif(sum(h.jobs) filter (where h.result = 'completed'), 0), 0) as seconds
      from generate_series(v_from, now(), ('1 ' || v_step)::interval) t (at)
      left join job_hours h on h.hour >= t.at and h.hour < t.at + ('1 ' || v_step)::interval group by t.at) s),
    'credits', (select coalesce(jsonb_agg(jsonb_build_object('at', to_json_time(s.at), 'sold', s.sold, 'spent', s.spent, 'refunded', s.refunded) order by s.at), '[]') from (
      select t.at, coalesce(sum(h.credits) filter (where h.reason = 'iap_purchase'), 0) as sold,
        coalesce(-sum(h.credits) filter (where h.reason = 'video_generation'), 0) as spent,
        coalesce(sum(h.credits) filter (where h.reason in ('generation_failed_refund', 'admin_refund')), 0) as refunded
      from generate_series(v_from, now(), ('1 ' || v_step)::interval) t (at)
      left join ledger_hours h on h.hour >= t.at and h.hour < t.at + ('1 ' || v_step)::interval group by t.at) s),
    'errors', (select coalesce(jsonb_agg(jsonb_build_object('error_code', e.error_code, 'jobs', e.jobs) order by e.jobs desc), '[]') from (
      select error_code, sum(jobs) as jobs from job_hours where hour >= v_from and result = 'failed' group by error_code) e),
    'models', (select coalesce(jsonb_agg(jsonb_build_object('model_name', m.model_name, 'provider', m.provider, 'completed', m.completed, 'failed', m.failed)
        order by m.completed desc), '[]') from (
      select model_name, provider, coalesce(sum(jobs) filter (where result = 'completed'), 0) as completed, coalesce(sum(jobs) filter (where result = 'failed'), 0) as failed
      from job_hours where hour >= v_from group by 1, 2 order by 3 desc limit 20) m),
    'open', (select coalesce(jsonb_agg(jsonb_build_object('provider', o.provider, 'stage', o.stage, 'jobs', o.jobs, 'oldest_seconds', o.oldest) order by o.provider, o.stage), '[]')
      from (select provider, stage, count(*) as jobs, extract(epoch from clock_timestamp() - min(created_at))::integer as oldest
        from video_jobs where stage <> 'finished' group by provider, stage) o),
    'providers', (select coalesce(jsonb_agg(jsonb_build_object('provider', s.provider, 'is_configured', s.is_configured, 'is_offered', provider_is_offered(s.provider),
        'fault', s.fault, 'detail', s.detail, 'failing_since', to_json_time(s.failing_since), 'paused_until', to_json_time(s.paused_until),
        'spent_today_micros', coalesce((select p.micros from provider_spend p where p.provider = s.provider and p.day = (now() at time zone 'UTC')::date), 0))
        order by s.provider), '[]') from provider_states s),
    'queues', (select coalesce(jsonb_agg(describe_queue(s.provider) order by s.provider), '[]') from provider_states s where s.is_configured),
    'attention', list_attention(),
    'storage', describe_storage_use(),
    'waiting', jsonb_build_object(
      'webhooks_failed', (select count(*) from (select from webhook_deliveries where status = 'failed' limit 1000) f),
      'webhooks_pending', (select count(*) from (select from webhook_deliveries where status = 'pending' limit 1000) f),
      'reports_open', (select count(*) from (select from content_reports where status = 'open' limit 1000) f),
      'claims', (select count(*) from (select from purchase_claims limit 1000) f)));
end
$$;
comment on function admin_overview(jsonb) is
  'The figures of the overview. Raises ERR_4000, ERR_4005, ERR_4006.';
