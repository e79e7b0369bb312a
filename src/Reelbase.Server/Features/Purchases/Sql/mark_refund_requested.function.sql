-- The buyer of a purchase has asked Apple for a refund (p_is_open), or Apple has declined it.
create or replace function mark_refund_requested(p_environment text, p_transaction_id text, p_is_open boolean) returns uuid
language sql security definer set search_path = internal, public, pg_temp as $$
  update purchases set refund_requested_at = case when p_is_open then coalesce(refund_requested_at, clock_timestamp()) end,
    consumption_sent_at = case when p_is_open then consumption_sent_at end, updated_at = clock_timestamp()
  where environment = p_environment and transaction_id = p_transaction_id returning user_id
$$;
comment on function mark_refund_requested(text, text, boolean) is 'Notes that a refund of a purchase is asked for, or no longer; answers its buyer.';
