-- Purchases stay for audit, under an id that means nobody any more.
create or replace function internal.on_account_erased_purchases(p_user_ids uuid[]) returns void
language plpgsql set search_path = internal, public, pg_temp as $$
begin
  delete from purchase_claims where user_id = any (p_user_ids);
end
$$;
comment on function internal.on_account_erased_purchases(uuid[]) is 'Removes the claims. Internal to erase_account, which has locked the account.';
