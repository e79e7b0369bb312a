-- Leases stored events of providers. Each claim counts and moves run_after on; an event that was claimed p_max_claims times is failed, with one
-- alert. An event of another request (its address's submission has got its id since) is finished here, before anybody is asked about it.
create or replace function claim_webhook_deliveries(p_leased_by text, p_lease_seconds integer, p_limit integer, p_max_claims integer)
returns table (id bigint, provider text, event_job_id text, payload jsonb, attempt integer, job_id uuid, submission_id bigint,
  provider_job_id text, provider_model_id text, status_url text, result_url text, trace_parent text, caused_by text)
language plpgsql security definer set search_path = internal, public, pg_temp as $$
#variable_conflict use_column
declare
  v_ids bigint[];
begin
  v_ids := array(select d.id from webhook_deliveries d
    where d.inbox = 'provider' and d.status = 'pending' and d.run_after <= clock_timestamp()
      and (d.lease_until is null or d.lease_until < clock_timestamp())
    order by d.run_after limit p_limit for no key update skip locked);
  update webhook_deliveries d set status = 'processed', processed_at = clock_timestamp(), leased_by = null, lease_until = null,
    last_error = 'the event is about another request than the one this address was made for'
  from job_submissions s where d.id = any (v_ids) and s.id = d.submission_id and not event_belongs_to(s, d.provider_job_id);
  perform fail_webhook_delivery(d.id, coalesce(d.last_error, 'every claim ended without a result'))
  from webhook_deliveries d where d.id = any (v_ids) and d.status = 'pending' and d.attempt >= p_max_claims;
  return query
  with claimed as (
    update webhook_deliveries d set leased_by = p_leased_by, attempt = d.attempt + 1,
      lease_until = clock_timestamp() + make_interval(secs => p_lease_seconds),
      run_after = clock_timestamp() + make_interval(secs => least(3600, p_lease_seconds * power(2, least(d.attempt, 6))))
    where d.id = any (v_ids) and d.status = 'pending' returning d.*)
  select c.id, c.provider, c.provider_job_id, c.payload, c.attempt, c.job_id, c.submission_id, s.provider_job_id,
    m.provider_model_id, s.status_url, s.result_url, j.trace_parent, c.trace_parent
  from claimed c
  left join job_submissions s on s.id = c.submission_id
  left join video_jobs j on j.job_id = c.job_id
  left join models m on m.id = j.model_id;
end
$$;
comment on function claim_webhook_deliveries(text, integer, integer, integer) is
  'Leases stored events of providers that are due to a worker; fails those that were claimed p_max_claims times.';

-- compatibility: the previous release's nodes call this; goes in the next release
create or replace function claim_webhook_deliveries(p_leased_by text, p_lease_seconds integer, p_limit integer)
returns table (id bigint, provider text, event_job_id text, payload jsonb, attempt integer, job_id uuid, submission_id bigint,
  provider_job_id text, provider_model_id text, status_url text, result_url text, trace_parent text, caused_by text)
language sql security definer set search_path = internal, public, pg_temp as $$
  select * from claim_webhook_deliveries(p_leased_by, p_lease_seconds, p_limit, 20)
$$;
comment on function claim_webhook_deliveries(text, integer, integer) is 'As the one with a limit of claims, for nodes of the previous release.';
