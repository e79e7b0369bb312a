create or replace function note_buyer_checked(p_environment text, p_leased_by text, p_user_id uuid, p_transaction_id text) returns void
language sql security definer set search_path = internal, public, pg_temp as $$
  update purchases set checked_at = clock_timestamp() where environment = p_environment and transaction_id = p_transaction_id;
  update reconciliations set buyers_after = p_user_id where environment = p_environment and leased_by = p_leased_by;
$$;
comment on function note_buyer_checked(text, text, uuid, text) is 'Moves the nightly walk over the buyers on.';
