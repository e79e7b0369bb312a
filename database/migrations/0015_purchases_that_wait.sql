-- A verified purchase is always recorded, also one of a product that nobody has entered yet, and the tier follows from purchases and grants.

-- A product may be entered after its first buyer: such a purchase waits with 0 credits until it is.
alter table purchases drop constraint purchases_product_id_fkey;
alter table purchases drop constraint purchases_credits_check;
alter table purchases add constraint purchases_credits_check check (credits >= 0 and (credits > 0 or credited_at is null)) not valid;
alter table purchases drop constraint purchases_quantity_check;
alter table purchases add constraint purchases_quantity_check check (quantity >= 0) not valid;
alter table purchases drop constraint purchases_source_check;
alter table purchases add constraint purchases_source_check check (source in ('app', 'notification', 'reconciliation', 'support')) not valid;
alter table purchases
  -- What it gave besides credits, as the product was when it was credited.
  add column grants_tier text constraint purchases_grants_tier_check check (grants_tier = 'premium'),
  -- While it waits for its product: when the worker tries it next.
  add column run_after timestamptz not null default now(),
  add column attempt integer not null default 0;
create index purchases_waiting_idx on purchases (run_after) where credited_at is null and credits = 0;
create index purchases_unowned_idx on purchases (created_at desc, transaction_id) where user_id is null;
-- The nightly comparison walks the buyers in this order.
create index purchases_buyers_idx on purchases (environment, user_id, purchased_at desc) where credited_at is not null;
-- How far that walk has come; it goes on from there.
alter table reconciliations add column buyers_after uuid;

-- Premium that no purchase gives: by an admin, or carried over from an older system.
alter table users add column premium_granted_by text constraint users_premium_granted_by_check check (premium_granted_by in ('admin', 'import'));

-- Purchases that were taken for new and refunded, although the older system had credited them.
update purchases p set credited_at = q.created_at, credits = q.change, user_id = coalesce(p.user_id, q.user_id)
from quota_log q
where p.credited_at is null and q.transaction_id = p.transaction_id and q.change > 0 and q.imported_at is not null;

-- What gave those who are premium now their tier.
update purchases p set grants_tier = 'premium'
from products d, users u
where d.product_id = p.product_id and d.grants_tier = 'premium' and p.credited_at is not null
  and u.id = coalesce((select m.merged_into from users m where m.id = p.user_id), p.user_id) and u.tier = 'premium';
update users u set premium_granted_by = 'admin'
where u.tier = 'premium' and u.deleted_at is null and (
  select a.details ->> 'to' from admin_actions a
  where a.action_type = 'user_tier' and a.target_user_id in (select o.id from users o where o.id = u.id or o.merged_into = u.id)
  order by a.id desc limit 1) = 'premium';
update users u set premium_granted_by = 'import'
where u.tier = 'premium' and u.deleted_at is null and u.premium_granted_by is null and not exists (
  select from purchases p where p.grants_tier = 'premium'
    and p.user_id in (select o.id from users o where o.id = u.id or o.merged_into = u.id));
insert into reelbase.migration_report (line)
select format('user %s is premium and nothing says why; the tier stays as it is (an admin may set it)', u.id)
from users u where u.premium_granted_by = 'import' and u.merged_into is null order by u.created_at, u.id limit 1000;
insert into reelbase.migration_report (line)
select format('%s users in all are premium without a reason that is known', count(*))
from users u where u.premium_granted_by = 'import' and u.merged_into is null having count(*) > 1000;
-- Premium whose every purchase was refunded.
with ended as (
  update users u set tier = 'free', updated_at = now()
  where u.tier = 'premium' and u.deleted_at is null and u.merged_into is null and u.premium_granted_by is null and not exists (
    select from purchases p where p.grants_tier = 'premium' and p.revoked_percentage < 100000
      and p.user_id in (select o.id from users o where o.id = u.id or o.merged_into = u.id))
  returning u.id)
insert into reelbase.migration_report (line)
select format('user %s was premium by purchases that are all refunded; the tier is free now', id) from ended order by id;
