-- The overview of a range: sums by hour (by day when it is longer than three days), what is open now, and each provider. Reads hours, never jobs that have ended.
create or replace function admin_overview(p_request jsonb) returns jsonb
language plpgsql stable security definer set search_path = internal, public, pg_temp as $$
declare
  v_admin uuid := require_admin();
  v_hours integer := read_admin_integer(p_request, 'hours', 1, 8784, 24);
  v_step text := case when v_hours <= 72 then 'hour' else 'day' end;
  v_from timestamptz := date_trunc(v_step, now() - make_interval(hours => v_hours), 'UTC');
begin
  return jsonb_build_object('from', to_json_time(v_from), 'step', v_step,
    'jobs', (select coalesce(jsonb_agg(jsonb_build_object('at', to_json_time(t.at), 'completed', coalesce(h.completed, 0), 'failed', coalesce(h.failed, 0),
        'accepted', coalesce(h.accepted, 0), 'seconds', coalesce(h.seconds / nullif(h.completed, 0), 0)) order by t.at), '[]')
      from generate_series(v_from, now(), ('1 ' || v_step)::interval) t (at)
      -- Each hour is put into its step once: matched as a range, every step would read the hours of all.
      left join (select date_trunc(v_step, j.hour, 'UTC') as at, sum(j.jobs) filter (where j.result = 'completed') as completed,
          sum(j.jobs) filter (where j.result = 'failed') as failed, sum(j.jobs) filter (where j.result = 'accepted') as accepted,
          sum(j.seconds) filter (where j.result = 'completed') as seconds
        from job_hours j where j.hour >= v_from group by 1) h on h.at = t.at),
    'credits', (select coalesce(jsonb_agg(jsonb_build_object('at', to_json_time(t.at), 'sold', coalesce(h.sold, 0), 'spent', coalesce(h.spent, 0),
        'refunded', coalesce(h.refunded, 0)) order by t.at), '[]')
      from generate_series(v_from, now(), ('1 ' || v_step)::interval) t (at)
      left join (select date_trunc(v_step, l.hour, 'UTC') as at, sum(l.credits) filter (where l.reason = 'iap_purchase') as sold,
          -sum(l.credits) filter (where l.reason = 'video_generation') as spent,
          sum(l.credits) filter (where l.reason in ('generation_failed_refund', 'admin_refund')) as refunded
        from ledger_hours l where l.hour >= v_from group by 1) h on h.at = t.at),
    'errors', (select coalesce(jsonb_agg(jsonb_build_object('error_code', e.error_code, 'jobs', e.jobs) order by e.jobs desc), '[]') from (
      select error_code, sum(jobs) as jobs from job_hours where hour >= v_from and result = 'failed' group by error_code) e),
    'models', (select coalesce(jsonb_agg(jsonb_build_object('model_name', m.model_name, 'provider', m.provider, 'completed', m.completed, 'failed', m.failed)
        order by m.completed desc), '[]') from (
      select model_name, provider, coalesce(sum(jobs) filter (where result = 'completed'), 0) as completed, coalesce(sum(jobs) filter (where result = 'failed'), 0) as failed
      from job_hours where hour >= v_from group by 1, 2 order by 3 desc limit 20) m),
    'open', list_open_jobs(),
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
