-- A purchase that the ledger has and whose row does not say so: it was credited by the system from before Reelbase, whose ledger was taken
-- over without a list of purchases. The row learns what was given and taken back then. Both rows are locked by the caller.
create or replace function internal.adopt_purchase(p_environment text, p_transaction_id text) returns void
language plpgsql security definer set search_path = internal, public, pg_temp as $$
declare
  v_credit quota_log;
  v_owner uuid;
  v_tier text;
begin
  if exists (select from purchases where environment = p_environment and transaction_id = p_transaction_id and credited_at is not null) then
    return;
  end if;
  select * into v_credit from quota_log where transaction_id = p_transaction_id and change > 0;
  if not found or exists (select from purchases where transaction_id = p_transaction_id and environment <> p_environment and credited_at is not null) then
    return;
  end if;
  v_owner := account_of(v_credit.user_id);
  select d.grants_tier into v_tier from purchases p join products d on d.product_id = p.product_id
  where p.environment = p_environment and p.transaction_id = p_transaction_id;
  update purchases p set credited_at = v_credit.created_at, credits = v_credit.change, grants_tier = v_tier,
    credits_taken_back = least(v_credit.change, greatest(0, booked.taken)),
    refunds = coalesce(booked.refunds, 0), reversals = coalesce(booked.reversals, 0)
  from (
    -- The highest number of each kind, so that the next one is free.
    select coalesce(-sum(q.change), 0) as taken,
      max(substring(q.transaction_id from ':refund:([0-9]{1,6})$')::integer) as refunds,
      max(substring(q.transaction_id from ':reversal:([0-9]{1,6})$')::integer) as reversals
    from quota_log q
    where q.user_id in (select u.id from users u where u.id = v_owner or u.merged_into = v_owner)
      and (starts_with(q.transaction_id, p_transaction_id || ':refund:') or starts_with(q.transaction_id, p_transaction_id || ':reversal:'))) booked
  where p.environment = p_environment and p.transaction_id = p_transaction_id;
  if v_tier = 'premium' then
    -- It says where a tier came from that was carried over without a reason.
    update users set premium_granted_by = null where id = v_owner and premium_granted_by = 'import';
  end if;
end
$$;
comment on function internal.adopt_purchase(text, text) is
  'Makes a purchase''s row say what the ledger has of it from before. Internal to the definer functions.';
