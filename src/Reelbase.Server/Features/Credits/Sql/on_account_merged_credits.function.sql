-- Ledger rows never move: the guest gets merge -n and the member merge +n, and history reads through merged_into.
create or replace function internal.on_account_merged_credits(p_guest_id uuid, p_member_id uuid) returns void
language plpgsql set search_path = internal, public, pg_temp as $$
declare
  v_credits integer;
begin
  select credits_remaining into v_credits from users where id = p_guest_id;
  if v_credits <> 0 then
    perform write_ledger(p_guest_id, -v_credits, 'merge', null, null, p_member_id::text);
    perform write_ledger(p_member_id, v_credits, 'merge', null, null, p_guest_id::text);
  end if;
end
$$;
comment on function internal.on_account_merged_credits(uuid, uuid) is 'Moves the balance through two ledger rows. Internal to merge_accounts, which has locked both accounts.';
