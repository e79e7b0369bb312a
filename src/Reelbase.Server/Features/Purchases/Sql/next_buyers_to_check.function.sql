-- The next buyers of the nightly comparison, each with their latest purchase: with it Apple lists all that the buyer bought and had refunded.
-- The walk goes by key, in portions, from where the last one came to (also one that broke off); no row: it has come round, and begins
-- anew at the next comparison. No transaction: the buyer's last purchase is too old for a refund (Apple takes them back for about three
-- months; twice that is checked), and only the walk moves on.
create or replace function next_buyers_to_check(p_environment text, p_leased_by text, p_limit integer)
returns table (user_id uuid, transaction_id text)
language plpgsql security definer set search_path = internal, public, pg_temp as $$
#variable_conflict use_column
declare
  v_after uuid;
begin
  select r.buyers_after into v_after from reconciliations r where r.environment = p_environment and r.leased_by = p_leased_by;
  if not found then
    return;
  end if;
  return query
  with recursive walk as (
    (select p.user_id, p.transaction_id, p.purchased_at, 1 as place from purchases p
     where p.environment = p_environment and p.credited_at is not null and (v_after is null or p.user_id > v_after)
     order by p.user_id, p.purchased_at desc limit 1)
    union all
    select n.user_id, n.transaction_id, n.purchased_at, w.place + 1 from walk w cross join lateral (
      select p.user_id, p.transaction_id, p.purchased_at from purchases p
      where p.environment = p_environment and p.credited_at is not null and p.user_id > w.user_id
      order by p.user_id, p.purchased_at desc limit 1) n
    where w.place < p_limit)
  select w.user_id, case when w.purchased_at > clock_timestamp() - interval '180 days' then w.transaction_id end from walk w order by w.place;
  if not found then
    update reconciliations r set buyers_after = null where r.environment = p_environment and r.leased_by = p_leased_by;
  end if;
end
$$;
comment on function next_buyers_to_check(text, text, integer) is
  'A portion of the walk over the buyers of an environment: each with a purchase to ask Apple about, or none.';
