-- What the metrics say about the whole installation: totals since the beginning (from the hours) and how things stand now.
-- labels is a flat object of texts.
create or replace function read_statistics() returns table (name text, labels jsonb, value double precision)
language sql stable security definer set search_path = public, pg_temp as $$
  select 'ledger_credits', jsonb_build_object('reason', reason), abs(sum(credits))::double precision from ledger_hours group by reason
  union all
  select 'jobs_total', jsonb_build_object('provider', provider, 'model', model_name, 'result', result, 'error_code', error_code),
    sum(jobs)::double precision
  from job_hours group by provider, model_name, result, error_code
  union all
  select 'jobs_open', jsonb_build_object('provider', provider, 'model', coalesce(model_name, ''), 'stage', stage), count(*)::double precision
  from video_jobs where stage <> 'finished' group by provider, model_name, stage
  union all
  select 'queue_age_seconds', jsonb_build_object('provider', provider), extract(epoch from clock_timestamp() - min(created_at))
  from video_jobs where stage = 'queued' group by provider
  union all
  select 'webhooks', jsonb_build_object('inbox', inbox, 'status', status), count(*)::double precision
  from webhook_deliveries where status in ('pending', 'failed') group by inbox, status
  union all
  select 'pushes_pending', '{}', count(*)::double precision from push_notifications where status = 'pending'
  union all
  select 'purchase_claims_pending', '{}', count(*)::double precision from purchase_claims
  union all
  select 'alerts_pending', '{}', count(*)::double precision from alerts where status = 'pending'
  union all
  select 'storage_bytes', jsonb_build_object('kind', u.bucket), u.bytes::double precision from read_storage_use() u
  union all
  select 'storage_files', jsonb_build_object('kind', u.bucket), u.objects::double precision from read_storage_use() u
  union all
  select 'storage_capacity_bytes', '{}', s.capacity_bytes::double precision from storage_alert s where s.capacity_bytes is not null
  union all
  select 'provider_offered', jsonb_build_object('provider', provider), case when provider_is_offered(provider) then 1 else 0 end
  from provider_states
$$;
comment on function read_statistics() is 'Totals and the present state as name, labels and value, for the metrics.';
