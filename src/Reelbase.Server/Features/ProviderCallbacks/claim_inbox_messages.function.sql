create or replace function claim_inbox_messages(p_inbox text, p_leased_by text, p_lease_seconds integer, p_limit integer)
returns table (id bigint, event_type text, payload jsonb, attempt integer)
language plpgsql security definer set search_path = public, pg_temp as $$
#variable_conflict use_column
begin
  return query
  with due as (
    select d.id from webhook_deliveries d
    where d.inbox = p_inbox and d.status = 'pending' and d.run_after <= clock_timestamp()
      and (d.lease_until is null or d.lease_until < clock_timestamp())
    order by d.run_after limit p_limit for no key update skip locked)
  update webhook_deliveries d set leased_by = p_leased_by, attempt = d.attempt + 1,
    lease_until = clock_timestamp() + make_interval(secs => p_lease_seconds)
  from due where d.id = due.id returning d.id, d.event_type, d.payload, d.attempt;
end
$$;
comment on function claim_inbox_messages(text, text, integer, integer) is 'Leases stored messages of one inbox that are due to a worker.';
