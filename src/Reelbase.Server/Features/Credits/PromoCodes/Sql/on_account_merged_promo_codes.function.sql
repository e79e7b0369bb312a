-- Before a guest becomes part of a member: of a code that both have redeemed the guest's credits are taken back, as far as the merged balance
-- has them, so that one account keeps what one redemption gives. Both rows are locked and the balance has moved to the member already.
create or replace function internal.on_account_merged_promo_codes(p_guest_id uuid, p_member_id uuid) returns void
language plpgsql security definer set search_path = internal, public, pg_temp as $$
declare
  v_double record;
  v_amount integer;
begin
  for v_double in
    select g.id, g.credits from promo_redemptions g join users gu on gu.id = g.user_id
    where (gu.id = p_guest_id or gu.merged_into = p_guest_id) and g.duplicate_at is null
      and exists (select from promo_redemptions m join users mu on mu.id = m.user_id
        where m.code_id = g.code_id and (mu.id = p_member_id or mu.merged_into = p_member_id))
    order by g.created_at, g.id loop
    select least(v_double.credits, greatest(credits_remaining, 0)) into v_amount from users where id = p_member_id;
    if v_amount > 0 then
      perform write_ledger(p_member_id, -v_amount, 'promo_code', null, 'promo:' || v_double.id || ':merge');
    end if;
    update promo_redemptions set duplicate_at = clock_timestamp(), taken_back = v_amount where id = v_double.id;
  end loop;
end
$$;
comment on function internal.on_account_merged_promo_codes(uuid, uuid) is
  'Takes back what a guest got for promo codes that the member has redeemed too. Internal to merge_accounts.';
