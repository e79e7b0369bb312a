drop function if exists claim_push_notifications(text, integer, integer);
create or replace function claim_push_notifications(p_leased_by text, p_lease_seconds integer, p_limit integer, p_max_attempts integer)
returns table (id uuid, job_id uuid, token text, environment text, kind text, event text, model_name text, created_at timestamptz, attempt integer,
  trace_parent text)
language plpgsql security definer set search_path = public, pg_temp as $$
#variable_conflict use_column
declare
  v_keys text[];
begin
  v_keys := array(
    select n.id::text from push_notifications n
    where n.status = 'pending' and n.dead_at is null and n.run_after <= clock_timestamp()
      and (n.lease_until is null or n.lease_until < clock_timestamp())
    order by n.run_after limit p_limit for no key update skip locked);
  perform end_spent_work('push_notifications', v_keys, p_max_attempts);
  return query
  update push_notifications n set leased_by = p_leased_by, attempt = n.attempt + 1, run_after = clock_timestamp() + work_pause(n.attempt + 1),
    lease_until = clock_timestamp() + make_interval(secs => p_lease_seconds)
  where n.id = any (v_keys::uuid[]) and n.dead_at is null
  returning n.id, n.job_id, n.token, n.environment, n.kind, n.event, n.model_name, n.created_at, n.attempt,
    (select j.trace_parent from video_jobs j where j.job_id = n.job_id);
end
$$;
comment on function claim_push_notifications(text, integer, integer, integer) is 'Leases pushes that are due to a worker, and gives up those that were tried too often.';

-- compatibility: the previous release's nodes call this; goes in the next release
create or replace function claim_push_notifications(p_leased_by text, p_lease_seconds integer, p_limit integer)
returns table (id uuid, job_id uuid, token text, environment text, kind text, event text, model_name text, created_at timestamptz, attempt integer,
  trace_parent text)
language sql security definer set search_path = public, pg_temp as $$
  select * from claim_push_notifications(p_leased_by, p_lease_seconds, p_limit, 30)
$$;
comment on function claim_push_notifications(text, integer, integer) is 'Leases pushes that are due to a worker, and gives up those that were tried too often.';
