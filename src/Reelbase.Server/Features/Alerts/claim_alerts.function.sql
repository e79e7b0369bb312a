-- What has to be told, oldest first, as one bundle for one message. Waiting is no reason to be forgotten: an alert of a dead worker is
-- claimed again.
create or replace function claim_alerts(p_leased_by text, p_lease_seconds integer, p_limit integer)
returns table (id bigint, kind text, message text, created_at timestamptz, attempt integer)
language plpgsql security definer set search_path = public, pg_temp as $$
#variable_conflict use_column
begin
  return query
  with due as (
    select a.id from alerts a
    where a.status = 'pending' and a.run_after <= clock_timestamp() and (a.lease_until is null or a.lease_until < clock_timestamp())
    order by a.id limit p_limit for no key update skip locked)
  update alerts a set leased_by = p_leased_by, attempt = a.attempt + 1,
    lease_until = clock_timestamp() + make_interval(secs => p_lease_seconds)
  from due where a.id = due.id returning a.id, a.kind, a.message, a.created_at, a.attempt;
end
$$;
comment on function claim_alerts(text, integer, integer) is 'Leases alerts that have to be told to a worker.';
