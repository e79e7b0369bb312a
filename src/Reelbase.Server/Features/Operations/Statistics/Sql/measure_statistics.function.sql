-- What the metrics say about the whole installation, measured now: totals since the beginning (sums, and the hours that are still counted) and how things stand. Open jobs
-- are walked once. labels is a flat object of texts.
create or replace function internal.measure_statistics() returns table (name text, labels jsonb, value double precision)
language plpgsql stable security definer set search_path = internal, public, pg_temp as $$
declare
  -- None when the count begins anew: then the hours are all there is.
  v_folded timestamptz := (select p.folded_until from statistics_progress p);
begin
  return query
  select 'ledger_credits', jsonb_build_object('reason', t.reason), abs(sum(t.credits))::double precision
  from (select l.reason, l.credits from ledger_totals l where v_folded is not null union all select h.reason, h.credits from ledger_hours h where v_folded is null or h.hour >= v_folded) t group by t.reason
  union all
  select 'jobs_total', jsonb_build_object('provider', t.provider, 'model', t.model_name, 'result', t.result, 'error_code', t.error_code), sum(t.jobs)::double precision
  from (select j.provider, j.model_name, j.result, j.error_code, j.jobs from job_totals j where v_folded is not null
    union all select h.provider, h.model_name, h.result, h.error_code, h.jobs from job_hours h where v_folded is null or h.hour >= v_folded) t
  group by t.provider, t.model_name, t.result, t.error_code;
  return query
  with open as materialized (
    select j.provider, coalesce(j.model_name, '') as model, j.stage, count(*) as jobs, extract(epoch from min(j.created_at)) as oldest
    from video_jobs j where j.stage <> 'finished' group by 1, 2, 3)
  select 'jobs_open', jsonb_build_object('provider', o.provider, 'model', o.model, 'stage', o.stage), o.jobs::double precision from open o
  union all
  select 'jobs_open_since'::text, jsonb_build_object('provider', o.provider, 'stage', o.stage), min(o.oldest)::double precision from open o group by o.provider, o.stage
  union all
  select 'queue_age_seconds', jsonb_build_object('provider', o.provider), (extract(epoch from clock_timestamp()) - min(o.oldest))::double precision
  from open o where o.stage = 'queued' group by o.provider;
  return query
  select 'webhooks', jsonb_build_object('inbox', w.inbox, 'status', w.status), count(*)::double precision
  from webhook_deliveries w where w.status in ('pending', 'failed') group by w.inbox, w.status
  union all
  select 'pushes_pending', '{}', count(*)::double precision from push_notifications p where p.status = 'pending'
  union all
  select 'purchase_claims_pending', '{}', count(*)::double precision from purchase_claims
  union all
  select 'alerts_pending', '{}', count(*)::double precision from alerts a where a.status = 'pending'
  union all
  select 'storage_bytes', jsonb_build_object('kind', u.bucket), u.bytes::double precision from read_storage_use() u
  union all
  select 'storage_files', jsonb_build_object('kind', u.bucket), u.objects::double precision from read_storage_use() u
  union all
  select 'storage_capacity_bytes', '{}', s.capacity_bytes::double precision from storage_alert s where s.capacity_bytes is not null
  union all
  select 'provider_offered', jsonb_build_object('provider', s.provider), case when provider_is_offered(s.provider) then 1 else 0 end::double precision
  from provider_states s;
end
$$;
comment on function internal.measure_statistics() is 'Totals and the present state as name, labels and value, measured now. Internal to keep_statistics and read_statistics.';
