-- Whoever changes what a purchase says about its owner's tier, the tier follows (users_tier derives it).
create or replace function internal.follow_purchase_tier() returns trigger
language plpgsql security definer set search_path = internal, public, pg_temp as $$
declare
  v_user_id uuid;
begin
  foreach v_user_id in array array[new.user_id, case when tg_op = 'UPDATE' then old.user_id end] loop
    if v_user_id is not null then
      update users u set tier = u.tier, updated_at = now()
      where u.id = account_of(v_user_id) and u.premium_granted_by is null and u.tier <> purchased_tier(u.id);
    end if;
  end loop;
  return null;
end
$$;
comment on function internal.follow_purchase_tier() is 'Trigger: derives the tier of a purchase''s owner anew; the writer holds the owner''s row.';
drop trigger if exists purchases_tier on purchases;
create trigger purchases_tier after insert or update of user_id, grants_tier, credited_at, revoked_percentage on purchases
  for each row when (new.grants_tier is not null) execute function internal.follow_purchase_tier();
