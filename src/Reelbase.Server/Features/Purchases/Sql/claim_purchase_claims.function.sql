-- compatibility: the previous release's nodes call this; goes in the next release
create or replace function claim_purchase_claims(p_leased_by text, p_lease_seconds integer, p_limit integer)
returns table (user_id uuid, transaction_id text, attempt integer)
language sql security definer set search_path = internal, public, pg_temp as $$
  select * from lease_pending_purchases(p_leased_by, p_lease_seconds, p_limit, 151)
$$;
comment on function claim_purchase_claims(text, integer, integer) is 'Leases kept claims of purchases that are due to a worker, and gives up those that were tried too often.';
