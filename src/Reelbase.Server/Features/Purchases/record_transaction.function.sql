-- Takes Apple's word on one purchase, from whoever brings it (the app, a notification, the reconciliation), in any order and
-- as often as it comes, and moves the credits to where that word says they belong: credited once, and of that taken
-- back what is refunded now. Apple's state decides and not the order of arrival: a word signed earlier than the one we have changes nothing.
-- p_transaction: environment, transaction_id, product_id, quantity, app_account_token, price, currency, purchased_at and
-- signed_at (milliseconds), revoked_percentage. p_user_id: who claims it; null: its account token says.
-- p_policy: accept_sandbox, sandbox_credits_per_user, sandbox_credits_per_day.
-- Answers outcome (credited, known, refunded, unowned, unknown_product, of_another, sandbox_refused), credits_added, user_id.
create or replace function record_transaction(p_user_id uuid, p_transaction jsonb, p_source text, p_policy jsonb)
returns jsonb language plpgsql security definer set search_path = public, pg_temp as $$
declare
  v_environment text := p_transaction ->> 'environment';
  v_id text := p_transaction ->> 'transaction_id';
  v_signed_at timestamptz := to_timestamp((p_transaction ->> 'signed_at')::bigint / 1000.0);
  v_quantity integer := (p_transaction ->> 'quantity')::integer;
  v_product products;
  v_purchase purchases;
  v_owner uuid;
  v_added integer := 0;
  v_target integer;
  v_refusal text;
begin
  select * into v_product from products where product_id = p_transaction ->> 'product_id';
  if not found or v_quantity not between 1 and 1000 then
    -- Somebody has paid for it, so somebody has to look.
    perform raise_alert('purchase_unknown_product', left(p_transaction ->> 'product_id', 200),
      format('A purchase of %s was reported, which is not in products: its buyer waits for credits.', left(p_transaction ->> 'product_id', 200)));
    return jsonb_build_object('outcome', 'unknown_product', 'credits_added', 0);
  end if;

  -- The user's row first and the purchase second, as everywhere. Whose it is: whoever has it already, else who claims it,
  -- else whom the app named when it was bought.
  v_owner := (lock_account(coalesce(
    (select p.user_id from purchases p where p.environment = v_environment and p.transaction_id = v_id),
    p_user_id, (p_transaction ->> 'app_account_token')::uuid))).id;
  if p_user_id is not null and (v_owner is distinct from account_of(p_user_id)
      or (p_transaction ->> 'app_account_token' is not null and v_owner is distinct from account_of((p_transaction ->> 'app_account_token')::uuid))) then
    return jsonb_build_object('outcome', 'of_another', 'credits_added', 0);
  end if;
  insert into purchases (environment, transaction_id, user_id, product_id, quantity, credits, price_milliunits, currency,
    revoked_percentage, signed_at, purchased_at, source)
  values (v_environment, v_id, v_owner, v_product.product_id, v_quantity, v_product.credits * v_quantity,
    (p_transaction ->> 'price')::bigint, left(p_transaction ->> 'currency', 10), (p_transaction ->> 'revoked_percentage')::integer,
    v_signed_at, to_timestamp((p_transaction ->> 'purchased_at')::bigint / 1000.0), p_source)
  on conflict on constraint purchases_pkey do nothing;
  select * into v_purchase from purchases where environment = v_environment and transaction_id = v_id for no key update;
  v_purchase.user_id := coalesce(v_purchase.user_id, v_owner);
  if account_of(v_purchase.user_id) is distinct from v_owner then
    -- It became somebody else's while we waited, and theirs is the row that would have to be locked.
    if p_user_id is not null then
      return jsonb_build_object('outcome', 'of_another', 'credits_added', 0);
    end if;
    raise exception 'purchase % has just found its owner; again', v_id using errcode = '40001';
  end if;
  -- Two words of one millisecond: whichever came first, the one that takes more back counts.
  if v_signed_at > v_purchase.signed_at or (v_signed_at = v_purchase.signed_at
      and (p_transaction ->> 'revoked_percentage')::integer > v_purchase.revoked_percentage) then
    v_purchase.signed_at := v_signed_at;
    v_purchase.revoked_percentage := (p_transaction ->> 'revoked_percentage')::integer;
  end if;
  update purchases set user_id = v_purchase.user_id, revoked_percentage = v_purchase.revoked_percentage, signed_at = v_purchase.signed_at,
    refund_requested_at = case when v_purchase.revoked_percentage > 0 then null else refund_requested_at end,
    updated_at = clock_timestamp()
  where environment = v_environment and transaction_id = v_id;
  if v_owner is null then
    return jsonb_build_object('outcome', 'unowned', 'credits_added', 0);
  end if;

  if v_purchase.credited_at is null then
    if v_purchase.revoked_percentage = 100000 then
      -- Refunded before it was ever credited: nothing to give and nothing to take back, unless the refund is reversed.
      return jsonb_build_object('outcome', 'refunded', 'credits_added', 0, 'user_id', v_owner);
    end if;
    if exists (select from quota_log q where q.transaction_id = v_id) then
      -- Credited by the system from before Reelbase, whose ledger was taken over without a list of purchases.
      if v_owner is distinct from (select account_of(q.user_id) from quota_log q where q.transaction_id = v_id) then
        return jsonb_build_object('outcome', 'of_another', 'credits_added', 0);
      end if;
      update purchases p set credited_at = q.created_at, credits = q.change from quota_log q
      where p.environment = v_environment and p.transaction_id = v_id and q.transaction_id = v_id and q.change > 0;
      return jsonb_build_object('outcome', 'known', 'credits_added', 0, 'user_id', v_owner);
    end if;
    v_refusal := refuse_sandbox(v_owner, v_purchase, p_policy);
    if v_refusal is not null then
      return jsonb_build_object('outcome', 'sandbox_refused', 'reason', v_refusal, 'credits_added', 0, 'user_id', v_owner);
    end if;
    update purchases set credited_at = clock_timestamp() where environment = v_environment and transaction_id = v_id;
    perform write_ledger(v_owner, v_purchase.credits, 'iap_purchase', null, v_id, nullif(v_environment, 'Production'));
    v_added := v_purchase.credits;
    delete from purchase_claims where transaction_id = v_id and user_id in (select id from users where id = v_owner or merged_into = v_owner);
    if v_product.grants_tier is not null then
      update users set tier = v_product.grants_tier where id = v_owner;
    end if;
  end if;

  v_target := v_purchase.credits::bigint * v_purchase.revoked_percentage / 100000;
  if v_target > v_purchase.credits_taken_back then
    perform write_ledger(v_owner, v_purchase.credits_taken_back - v_target, 'apple_refund', null,
      v_id || ':refund:' || v_purchase.refunds + 1);
  elsif v_target < v_purchase.credits_taken_back then
    perform write_ledger(v_owner, v_purchase.credits_taken_back - v_target, 'apple_refund_reversed', null,
      v_id || ':reversal:' || v_purchase.reversals + 1);
  end if;
  update purchases set credits_taken_back = v_target,
    refunds = refunds + (v_target > v_purchase.credits_taken_back)::integer,
    reversals = reversals + (v_target < v_purchase.credits_taken_back)::integer
  where environment = v_environment and transaction_id = v_id and credits_taken_back <> v_target;
  return jsonb_build_object('outcome', case when v_added > 0 then 'credited' else 'known' end,
    'credits_added', v_added, 'user_id', v_owner);
end
$$;
comment on function record_transaction(uuid, jsonb, text, jsonb) is
  'Moves a purchase''s credits to where Apple''s latest word says they belong; answers outcome, credits_added and user_id.';
