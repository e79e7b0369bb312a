-- Whose a purchase is. One that was credited never moves: its row says whose it is, or the ledger (of the system from before Reelbase, say),
-- which is asked even when we have no row. One that was not belongs to the first of these who is alive: who has it, whom the app
-- named when it was bought, who claims it. An account token that names nobody alive counts as absent.
create or replace function internal.purchase_owner(p_environment text, p_transaction_id text, p_account_token uuid, p_user_id uuid) returns uuid
language sql stable security definer set search_path = internal, public, pg_temp as $$
  select coalesce(
    (select account_of(p.user_id) from purchases p
      where p.environment = p_environment and p.transaction_id = p_transaction_id and p.credited_at is not null),
    (select account_of(q.user_id) from quota_log q where q.transaction_id = p_transaction_id and q.change > 0),
    (select a.id from purchases p join users a on a.id = account_of(p.user_id)
      where p.environment = p_environment and p.transaction_id = p_transaction_id and a.deleted_at is null),
    (select a.id from users a where a.id = account_of(p_account_token) and a.deleted_at is null),
    (select a.id from users a where a.id = account_of(p_user_id) and a.deleted_at is null))
$$;
comment on function internal.purchase_owner(text, text, uuid, uuid) is
  'The account that a purchase belongs to, or null while nobody alive is known. Internal to the definer functions.';
