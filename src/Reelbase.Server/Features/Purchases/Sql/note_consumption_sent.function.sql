create or replace function note_consumption_sent(p_environment text, p_transaction_id text) returns void
language sql security definer set search_path = internal, public, pg_temp as $$
  update purchases set consumption_sent_at = clock_timestamp() where environment = p_environment and transaction_id = p_transaction_id
$$;
comment on function note_consumption_sent(text, text) is 'Notes that Apple was sent how much of a purchase is used.';
