-- The caller says that they bought something and Apple cannot be asked about it now, or does not know it yet: it is asked
-- again later, so that a purchase is not lost with one bad minute. The claim takes its place first and loses it when there are too many;
-- a user's claims do so one after the other.
create or replace function keep_purchase_claim(p_transaction_id text, p_max_open integer) returns void
language plpgsql security definer set search_path = internal, public, pg_temp as $$
declare
  v_me uuid := require_caller();
begin
  perform pg_advisory_xact_lock(hashtextextended('purchase_claims:' || v_me, 0));
  insert into purchase_claims (user_id, transaction_id, run_after) values (v_me, p_transaction_id, clock_timestamp() + interval '5 seconds')
  on conflict on constraint purchase_claims_pkey do nothing;
  if found and (select count(*) from purchase_claims where user_id = v_me) > p_max_open then
    delete from purchase_claims where user_id = v_me and transaction_id = p_transaction_id;
  end if;
end
$$;
comment on function keep_purchase_claim(text, integer) is 'Keeps a claim of the caller to be asked again, up to p_max_open of them. Raises ERR_4005, ERR_4006.';
