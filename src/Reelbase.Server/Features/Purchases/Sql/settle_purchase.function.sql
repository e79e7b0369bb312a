-- Moves the credits of a recorded purchase to where Apple's latest word says they belong: credited once, and of that taken back what
-- is refunded now. Every writer comes through here. Its owner's row is locked by the caller, before the purchase's.
-- p_policy null: support decides by hand, and the caps of the sandbox do not count.
-- Answers outcome (credited, known, pending, refunded, unowned, sandbox_refused with a reason), credits_added and user_id.
create or replace function internal.settle_purchase(p_environment text, p_transaction_id text, p_policy jsonb) returns jsonb
language plpgsql security definer set search_path = internal, public, pg_temp as $$
declare
  v_purchase purchases;
  v_product products;
  v_owner uuid;
  v_added integer := 0;
  v_target integer;
  v_refusal text;
begin
  perform adopt_purchase(p_environment, p_transaction_id);
  select * into v_purchase from purchases where environment = p_environment and transaction_id = p_transaction_id for no key update;
  select a.id into v_owner from users a
  where a.id = account_of(v_purchase.user_id) and (a.deleted_at is null or v_purchase.credited_at is not null);
  if v_purchase.credited_at is null then
    select * into v_product from products where product_id = v_purchase.product_id;
    if v_purchase.credits = 0 and v_product.product_id is not null and v_purchase.quantity between 1 and 1000 then
      v_purchase.credits := v_product.credits * v_purchase.quantity;
    end if;
    if v_purchase.credits = 0 then
      -- Somebody has paid for it, so somebody has to see to it; many of one product are one line of one message.
      perform raise_alert('purchase_unknown_product', p_environment || ':' || p_transaction_id,
        format(case when v_product.product_id is null
            then 'A purchase of %s was reported, which is not in products: its buyer waits for credits, which come when the product is saved.'
            else 'A purchase of %s was reported with a quantity that cannot be: its buyer waits for credits, which support has to give.' end,
          left(v_purchase.product_id, 200)));
    end if;
    if v_owner is null then
      return jsonb_build_object('outcome', 'unowned', 'credits_added', 0);
    elsif v_purchase.revoked_percentage = 100000 then
      -- Refunded before it was ever credited: nothing to give and nothing to take back, unless the refund is reversed.
      return jsonb_build_object('outcome', 'refunded', 'credits_added', 0, 'user_id', v_owner);
    elsif v_purchase.credits = 0 then
      return jsonb_build_object('outcome', 'pending', 'credits_added', 0, 'user_id', v_owner);
    elsif exists (select from quota_log where transaction_id = p_transaction_id) then
      -- The ledger has this id from elsewhere (the other environment): once is once.
      return jsonb_build_object('outcome', 'known', 'credits_added', 0, 'user_id', v_owner);
    end if;
    v_refusal := refuse_sandbox(v_owner, v_purchase, p_policy);
    if v_refusal is not null then
      return jsonb_build_object('outcome', 'sandbox_refused', 'reason', v_refusal, 'credits_added', 0, 'user_id', v_owner);
    end if;
    if not fits_balance(v_owner, v_purchase.credits, p_environment, p_transaction_id) then
      return jsonb_build_object('outcome', 'pending', 'credits_added', 0, 'user_id', v_owner);
    end if;
    update purchases set credited_at = clock_timestamp(), credits = v_purchase.credits, grants_tier = v_product.grants_tier
    where environment = p_environment and transaction_id = p_transaction_id;
    perform write_ledger(v_owner, v_purchase.credits, 'iap_purchase', null, p_transaction_id, nullif(p_environment, 'Production'));
    v_added := v_purchase.credits;
    delete from purchase_claims where transaction_id = p_transaction_id
      and user_id in (select id from users where id = v_owner or merged_into = v_owner);
  end if;

  v_target := v_purchase.credits::bigint * v_purchase.revoked_percentage / 100000;
  if v_target < v_purchase.credits_taken_back
    and not fits_balance(v_owner, v_purchase.credits_taken_back - v_target, p_environment, p_transaction_id) then
    v_target := v_purchase.credits_taken_back;
  end if;
  if v_target > v_purchase.credits_taken_back then
    perform write_ledger(v_owner, v_purchase.credits_taken_back - v_target, 'apple_refund', null,
      p_transaction_id || ':refund:' || v_purchase.refunds + 1);
  elsif v_target < v_purchase.credits_taken_back then
    perform write_ledger(v_owner, v_purchase.credits_taken_back - v_target, 'apple_refund_reversed', null,
      p_transaction_id || ':reversal:' || v_purchase.reversals + 1);
  end if;
  update purchases set credits_taken_back = v_target,
    refunds = refunds + (v_target > v_purchase.credits_taken_back)::integer,
    reversals = reversals + (v_target < v_purchase.credits_taken_back)::integer
  where environment = p_environment and transaction_id = p_transaction_id and credits_taken_back <> v_target;
  return jsonb_build_object('outcome', case when v_added > 0 then 'credited' else 'known' end,
    'credits_added', v_added, 'user_id', v_owner);
end
$$;
comment on function internal.settle_purchase(text, text, jsonb) is
  'Moves a recorded purchase''s credits to where Apple''s latest word says they belong; answers outcome, credits_added and user_id. Internal to the definer functions.';
