create or replace function internal.purchased_tier(p_user_id uuid) returns text
language sql stable security definer set search_path = internal, public, pg_temp as $$
  select case when exists (
    select from purchases p
    where p.user_id in (select u.id from users u where u.id = p_user_id or u.merged_into = p_user_id)
      and p.grants_tier = 'premium' and p.credited_at is not null and p.revoked_percentage < 100000) then 'premium' else 'free' end
$$;
comment on function internal.purchased_tier(uuid) is
  'premium while a purchase of the account that gave it is not fully refunded, else free. Internal to the definer functions.';
