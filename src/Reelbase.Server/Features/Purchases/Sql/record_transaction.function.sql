-- Takes Apple's word on one purchase, from whoever brings it (the app, a notification, the reconciliation, support), in any order and
-- as often as it comes. What is verified is always recorded, and settle_purchase moves the credits to where the word says they
-- belong. Apple's state decides and not the order of arrival: a word signed earlier than the one we have changes nothing.
-- p_transaction: environment, transaction_id, product_id, quantity, app_account_token, price, currency, purchased_at and
-- signed_at (milliseconds), revoked_percentage. p_user_id: who claims it; null: its account token says.
-- p_policy: accept_sandbox, sandbox_credits_per_user, sandbox_credits_per_day.
-- Answers outcome (credited, known, pending, refunded, unowned, of_another, sandbox_refused), credits_added, user_id. of_another: it was
-- recorded for its owner, who is not the one who claims it.
create or replace function record_transaction(p_user_id uuid, p_transaction jsonb, p_source text, p_policy jsonb)
returns jsonb language plpgsql security definer set search_path = internal, public, pg_temp as $$
declare
  v_environment text := p_transaction ->> 'environment';
  v_id text := p_transaction ->> 'transaction_id';
  v_token uuid := (p_transaction ->> 'app_account_token')::uuid;
  -- A word from the future is one of now, or no later one would ever count.
  v_signed_at timestamptz := apple_moment((p_transaction ->> 'signed_at')::numeric, clock_timestamp() + interval '1 day');
  v_revoked integer := (p_transaction ->> 'revoked_percentage')::integer;
  v_quantity integer := greatest((p_transaction ->> 'quantity')::integer, 0);
  v_product products;
  v_purchase purchases;
  v_owner uuid;
  v_result jsonb;
begin
  -- The user's row first and the purchase second, as everywhere.
  v_owner := (lock_account(purchase_owner(v_environment, v_id, v_token, p_user_id))).id;
  select * into v_product from products where product_id = p_transaction ->> 'product_id';
  insert into purchases (environment, transaction_id, user_id, product_id, quantity, credits, price_milliunits, currency,
    revoked_percentage, signed_at, purchased_at, source)
  values (v_environment, v_id, v_owner, p_transaction ->> 'product_id', v_quantity,
    -- 0 credits: it waits for its product.
    case when v_product.product_id is not null and v_quantity between 1 and 1000 then v_product.credits * v_quantity else 0 end,
    (p_transaction ->> 'price')::bigint, left(p_transaction ->> 'currency', 10), v_revoked,
    v_signed_at, apple_moment((p_transaction ->> 'purchased_at')::numeric), p_source)
  on conflict on constraint purchases_pkey do nothing;
  select * into v_purchase from purchases where environment = v_environment and transaction_id = v_id for no key update;
  if purchase_owner(v_environment, v_id, v_token, p_user_id) is distinct from v_owner then
    -- It became somebody else's while we waited (or its owner left), and theirs is the row that would have to be locked.
    raise exception 'purchase % has just found its owner; again', v_id using errcode = '40001';
  end if;
  -- Two words of one millisecond: whichever came first, the one that takes more back counts.
  if v_signed_at > v_purchase.signed_at or (v_signed_at = v_purchase.signed_at and v_revoked > v_purchase.revoked_percentage) then
    v_purchase.signed_at := v_signed_at;
    v_purchase.revoked_percentage := v_revoked;
  end if;
  update purchases set user_id = v_owner, revoked_percentage = v_purchase.revoked_percentage, signed_at = v_purchase.signed_at,
    refund_requested_at = case when v_purchase.revoked_percentage > 0 then null else refund_requested_at end,
    updated_at = clock_timestamp()
  where environment = v_environment and transaction_id = v_id;
  perform note_app_transaction(v_owner, v_environment, p_transaction ->> 'app_transaction_id');
  v_result := settle_purchase(v_environment, v_id, p_policy);
  if p_user_id is not null and v_owner is distinct from account_of(p_user_id) then
    return jsonb_build_object('outcome', 'of_another', 'credits_added', 0);
  end if;
  return v_result;
end
$$;
comment on function record_transaction(uuid, jsonb, text, jsonb) is
  'Records Apple''s latest word on a purchase and moves its credits to where it says they belong; answers outcome, credits_added and user_id.';
