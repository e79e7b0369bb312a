create or replace function claim_inbox_messages(p_inbox text, p_leased_by text, p_lease_seconds integer, p_limit integer, p_max_attempts integer)
returns table (id bigint, event_type text, payload jsonb, attempt integer)
language plpgsql security definer set search_path = internal, public, pg_temp as $$
#variable_conflict use_column
declare
  v_keys text[];
begin
  v_keys := array(
    select d.id::text from webhook_deliveries d
    where d.inbox = p_inbox and d.status = 'pending' and d.dead_at is null and d.run_after <= clock_timestamp()
      and (d.lease_until is null or d.lease_until < clock_timestamp())
    order by d.run_after limit p_limit for no key update skip locked);
  perform end_spent_work('inbox_messages', v_keys, p_max_attempts);
  return query
  update webhook_deliveries d set leased_by = p_leased_by, attempt = d.attempt + 1, run_after = clock_timestamp() + work_pause(d.attempt + 1),
    lease_until = clock_timestamp() + make_interval(secs => p_lease_seconds)
  where d.id = any (v_keys::bigint[]) and d.dead_at is null
  returning d.id, d.event_type, d.payload, d.attempt;
end
$$;
comment on function claim_inbox_messages(text, text, integer, integer, integer) is 'Leases stored messages of one inbox that are due to a worker, and gives up those that were tried too often.';

-- compatibility: the previous release's nodes call this; goes in the next release
create or replace function claim_inbox_messages(p_inbox text, p_leased_by text, p_lease_seconds integer, p_limit integer)
returns table (id bigint, event_type text, payload jsonb, attempt integer)
language sql security definer set search_path = internal, public, pg_temp as $$
  select * from claim_inbox_messages(p_inbox, p_leased_by, p_lease_seconds, p_limit, 36)
$$;
comment on function claim_inbox_messages(text, text, integer, integer) is 'Leases stored messages of one inbox that are due to a worker, and gives up those that were tried too often.';
