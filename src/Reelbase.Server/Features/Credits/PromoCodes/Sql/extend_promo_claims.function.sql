-- What an account becomes later (signed in with Apple, on another device id, part of another account) is claimed for what it has redeemed.
create or replace function internal.extend_promo_claims(p_user_id uuid) returns void
language sql security definer set search_path = internal, public, pg_temp as $$
  insert into promo_claims (code_id, kind, subject_hash, redemption_id)
  select r.code_id, s.kind, s.subject_hash, r.id
  from users u join promo_redemptions r on r.user_id = u.id
  cross join lateral promo_subjects(r.code_id, account_of(p_user_id)) s
  where u.id = account_of(p_user_id) or u.merged_into = account_of(p_user_id)
  order by 1, 2, 3
  on conflict on constraint promo_claims_pkey do nothing
$$;
comment on function internal.extend_promo_claims(uuid) is 'Claims an account''s present subjects for the promo codes that it has redeemed. Internal to a trigger on users.';
