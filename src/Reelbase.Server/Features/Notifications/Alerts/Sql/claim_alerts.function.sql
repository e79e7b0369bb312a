-- What has to be sent, oldest first, as one bundle for one message. Waiting is no reason to be forgotten: an alert of a dead worker is
-- claimed again.
create or replace function claim_alerts(p_leased_by text, p_lease_seconds integer, p_limit integer, p_max_attempts integer)
returns table (id bigint, kind text, message text, created_at timestamptz, attempt integer)
language plpgsql security definer set search_path = internal, public, pg_temp as $$
#variable_conflict use_column
declare
  v_keys text[];
begin
  v_keys := array(
    select a.id::text from alerts a
    where a.status = 'pending' and a.dead_at is null and a.run_after <= clock_timestamp()
      and (a.lease_until is null or a.lease_until < clock_timestamp())
    order by a.id limit p_limit for no key update skip locked);
  perform end_spent_work('alerts', v_keys, p_max_attempts);
  return query
  update alerts a set leased_by = p_leased_by, attempt = a.attempt + 1, run_after = clock_timestamp() + work_pause(a.attempt + 1),
    lease_until = clock_timestamp() + make_interval(secs => p_lease_seconds)
  where a.id = any (v_keys::bigint[]) and a.dead_at is null
  returning a.id, a.kind, a.message, a.created_at, a.attempt;
end
$$;
comment on function claim_alerts(text, integer, integer, integer) is 'Leases alerts that are to be sent to a worker, and gives up those that were tried too often.';

-- compatibility: the previous release's nodes call this; goes in the next release
create or replace function claim_alerts(p_leased_by text, p_lease_seconds integer, p_limit integer)
returns table (id bigint, kind text, message text, created_at timestamptz, attempt integer)
language sql security definer set search_path = internal, public, pg_temp as $$
  select * from claim_alerts(p_leased_by, p_lease_seconds, p_limit, 51)
$$;
comment on function claim_alerts(text, integer, integer) is 'Leases alerts that are to be sent to a worker, and gives up those that were tried too often.';
