-- What sandbox purchases may give. Unless the policy says otherwise a user may buy each active product twice, and a day holds ten
-- such buyers: App Review buys what the app sells, and fails what it cannot buy.
create or replace function internal.sandbox_caps(p_policy jsonb, out per_user bigint, out per_day bigint)
language sql stable security definer set search_path = internal, public, pg_temp as $$
  select coalesce((p_policy ->> 'sandbox_credits_per_user')::bigint, 2 * t.credits),
    coalesce((p_policy ->> 'sandbox_credits_per_day')::bigint, 20 * t.credits)
  from (select coalesce(sum(d.credits), 0)::bigint as credits from products d where d.is_active) t
$$;
comment on function internal.sandbox_caps(jsonb) is
  'Credits that a user in all, and all users in a day, may get from sandbox purchases under a policy. Internal to the definer functions.';
