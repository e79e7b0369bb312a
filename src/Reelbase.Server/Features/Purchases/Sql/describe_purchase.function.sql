-- A purchase as the console shows one. Internal.
create or replace function internal.describe_purchase(p_purchase purchases) returns jsonb
language sql stable security definer set search_path = internal, public, pg_temp as $$
  select jsonb_build_object('environment', p_purchase.environment, 'transaction_id', p_purchase.transaction_id, 'user_id', p_purchase.user_id,
    'product_id', p_purchase.product_id, 'quantity', p_purchase.quantity, 'credits', p_purchase.credits,
    'price_milliunits', p_purchase.price_milliunits, 'currency', p_purchase.currency, 'revoked_percentage', p_purchase.revoked_percentage,
    'credits_taken_back', p_purchase.credits_taken_back, 'source', p_purchase.source, 'purchased_at', to_json_time(p_purchase.purchased_at),
    'credited_at', to_json_time(p_purchase.credited_at), 'is_waiting', p_purchase.credited_at is null and p_purchase.credits = 0, 'refund_requested_at', to_json_time(p_purchase.refund_requested_at), 'created_at', to_json_time(p_purchase.created_at))
$$;
comment on function internal.describe_purchase(purchases) is
  'A purchase for the console, as JSON. Internal to the admin functions.';
