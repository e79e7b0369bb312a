-- For whom a code is used up once an account has redeemed it: the account with every guest that became part of it, their devices, their Apple
-- subject. Hashed with the code's id, so that the claims of two codes cannot be recognised as one person's.
create or replace function internal.promo_subjects(p_code_id uuid, p_account_id uuid) returns table (kind text, subject_hash bytea)
language sql stable security definer set search_path = internal, public, pg_temp as $$
  with ids as (select u.id, u.device_id, u.apple_sub from users u where u.id = p_account_id or u.merged_into = p_account_id),
  subjects as (
    select 'account' as kind, i.id::text as subject from ids i
    union select 'device', stored_device_id(i.device_id) from ids i where i.device_id is not null
    union select 'device', stored_device_id(c.device_id) from device_checks c join ids i on i.id = c.user_id
    union select 'device', stored_device_id(g.device_id) from device_grants g join ids i on i.id = g.user_id
    union select 'apple', i.apple_sub from ids i where i.apple_sub is not null)
  select s.kind, sha256(convert_to(p_code_id || ':' || s.kind || ':' || s.subject, 'UTF8')) from subjects s
$$;
comment on function internal.promo_subjects(uuid, uuid) is
  'The account, devices and Apple subject for which a promo code is used up, as hashes. Internal to the definer functions.';
