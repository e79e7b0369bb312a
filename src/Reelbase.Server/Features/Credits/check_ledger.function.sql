-- Every user whose ledger does not add up: empty is the only good answer. Checks the sum, the chain of balances, the last balance, and
-- what each job took and gave back.
create or replace function check_ledger() returns table (user_id uuid, problem text)
language sql stable security definer set search_path = public, pg_temp as $$
  with chain as (
    select q.user_id, q.seq, q.change, q.balance_after,
      coalesce(lag(q.balance_after) over (partition by q.user_id order by q.seq), 0) + q.change as expected
    from quota_log q),
  sums as (select c.user_id, sum(c.change) as total from chain c group by c.user_id)
  select u.id, format('the balance is %s but the ledger adds up to %s', u.credits_remaining, coalesce(s.total, 0))
  from users u left join sums s on s.user_id = u.id
  where u.credits_remaining <> coalesce(s.total, 0)
  union all
  select c.user_id, format('ledger row %s says balance %s where %s follows', c.seq, c.balance_after, c.expected)
  from chain c where c.balance_after <> c.expected
  union all
  select j.user_id, j.problem from check_job_credits() j
$$;
comment on function check_ledger() is 'Users whose ledger does not equal their balance, with the reason; empty when all is well.';
