-- compatibility: the previous release's nodes call this; goes in the next release.
create or replace function note_purchase_checked(p_environment text, p_transaction_id text) returns void
language sql security definer set search_path = internal, public, pg_temp as $$
  update purchases set checked_at = clock_timestamp() where environment = p_environment and transaction_id = p_transaction_id
$$;
comment on function note_purchase_checked(text, text) is 'Notes that Apple was asked about the buyer of a purchase.';
