drop function if exists claim_webhook_deliveries(text, integer, integer);
create function claim_webhook_deliveries(p_leased_by text, p_lease_seconds integer, p_limit integer)
returns table (id bigint, provider text, event_job_id text, payload jsonb, attempt integer, job_id uuid, submission_id bigint,
  provider_job_id text, provider_model_id text, status_url text, result_url text, trace_parent text, caused_by text)
language plpgsql security definer set search_path = public, pg_temp as $$
#variable_conflict use_column
begin
  return query
  with due as (
    select d.id from webhook_deliveries d
    where d.inbox = 'provider' and d.status = 'pending' and d.run_after <= clock_timestamp()
      and (d.lease_until is null or d.lease_until < clock_timestamp())
    order by d.run_after limit p_limit for no key update skip locked),
  claimed as (
    update webhook_deliveries d set leased_by = p_leased_by, attempt = d.attempt + 1,
      lease_until = clock_timestamp() + make_interval(secs => p_lease_seconds)
    from due where d.id = due.id returning d.*)
  select c.id, c.provider, c.provider_job_id, c.payload, c.attempt, c.job_id, c.submission_id, s.provider_job_id,
    m.provider_model_id, s.status_url, s.result_url, j.trace_parent, c.trace_parent
  from claimed c
  left join job_submissions s on s.id = c.submission_id
  left join video_jobs j on j.job_id = c.job_id
  left join models m on m.id = j.model_id;
end
$$;
comment on function claim_webhook_deliveries(text, integer, integer) is 'Leases stored events of providers that are due to a worker.';
