create or replace function claim_purchase_claims(p_leased_by text, p_lease_seconds integer, p_limit integer)
returns table (user_id uuid, transaction_id text, attempt integer)
language plpgsql security definer set search_path = public, pg_temp as $$
#variable_conflict use_column
begin
  return query
  with due as (
    select c.user_id, c.transaction_id from purchase_claims c
    where c.run_after <= clock_timestamp() and (c.lease_until is null or c.lease_until < clock_timestamp())
    order by c.run_after limit p_limit for no key update skip locked)
  update purchase_claims c set leased_by = p_leased_by, attempt = c.attempt + 1,
    lease_until = clock_timestamp() + make_interval(secs => p_lease_seconds)
  from due where c.user_id = due.user_id and c.transaction_id = due.transaction_id
  returning c.user_id, c.transaction_id, c.attempt;
end
$$;
comment on function claim_purchase_claims(text, integer, integer) is 'Leases kept claims of purchases that are due to a worker.';
