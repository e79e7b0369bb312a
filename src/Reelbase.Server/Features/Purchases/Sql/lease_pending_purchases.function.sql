drop function if exists claim_purchase_claims(text, integer, integer, integer);
create or replace function lease_pending_purchases(p_leased_by text, p_lease_seconds integer, p_limit integer, p_max_attempts integer)
returns table (user_id uuid, transaction_id text, attempt integer)
language plpgsql security definer set search_path = internal, public, pg_temp as $$
#variable_conflict use_column
declare
  v_keys text[];
begin
  v_keys := array(
    select c.user_id || '/' || c.transaction_id from purchase_claims c
    where c.dead_at is null and c.run_after <= clock_timestamp()
      and (c.lease_until is null or c.lease_until < clock_timestamp())
    order by c.run_after limit p_limit for no key update skip locked);
  perform end_spent_work('purchase_claims', v_keys, p_max_attempts);
  return query
  update purchase_claims c set leased_by = p_leased_by, attempt = c.attempt + 1, run_after = clock_timestamp() + work_pause(c.attempt + 1),
    lease_until = clock_timestamp() + make_interval(secs => p_lease_seconds)
  where (c.user_id, c.transaction_id) in (select left(k, 36)::uuid, substr(k, 38) from unnest(v_keys) k) and c.dead_at is null
  returning c.user_id, c.transaction_id, c.attempt;
end
$$;
comment on function lease_pending_purchases(text, integer, integer, integer) is 'Leases kept claims of purchases that are due to a worker, and gives up those that were tried too often.';
