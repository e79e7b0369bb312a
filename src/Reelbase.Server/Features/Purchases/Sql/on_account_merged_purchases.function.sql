-- A claim that both have of one transaction stays the member's.
create or replace function internal.on_account_merged_purchases(p_guest_id uuid, p_member_id uuid) returns void
language plpgsql set search_path = internal, public, pg_temp as $$
begin
  update purchases set user_id = p_member_id where user_id = p_guest_id;
  update purchase_claims g set user_id = p_member_id where g.user_id = p_guest_id
    and not exists (select from purchase_claims m where m.user_id = p_member_id and m.transaction_id = g.transaction_id);
end
$$;
comment on function internal.on_account_merged_purchases(uuid, uuid) is 'Moves the purchases and the claims that are kept. Internal to merge_accounts, which has locked both accounts.';
