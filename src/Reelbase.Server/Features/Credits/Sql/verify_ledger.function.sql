-- The check of the ledger, for the next p_limit users by id: the sum, the chain of balances, the last balance, and what each of their jobs took and
-- gave back (jobs that the migration exempted are passed over). There is no other check; whoever checks
-- everybody calls this until last_user_id is null, so that no statement reads more than its portion.
-- problems: [{"user_id", "problem"}]; empty is the only good answer.
create or replace function verify_ledger(p_after_user_id uuid, p_limit integer)
returns table (last_user_id uuid, users integer, problems jsonb)
language plpgsql stable security definer set search_path = internal, public, pg_temp as $$
#variable_conflict use_column
begin
  return query
  with portion as materialized (
    select u.id, u.credits_remaining from users u
    where u.id > coalesce(p_after_user_id, '00000000-0000-0000-0000-000000000000') order by u.id limit p_limit),
  chain as materialized (
    select p.id, p.credits_remaining, q.seq, q.change, q.balance_after,
      coalesce(lag(q.balance_after) over (partition by p.id order by q.seq), 0) + q.change as expected
    from portion p left join lateral (
      select l.seq, l.change, l.balance_after from quota_log l where l.user_id = p.id order by l.seq) q on true),
  found as (
    select c.id, 0 as seq, format('the balance is %s but the ledger adds up to %s', c.credits_remaining, coalesce(sum(c.change), 0)) as problem
    from chain c group by c.id, c.credits_remaining having c.credits_remaining <> coalesce(sum(c.change), 0)
    union all
    select c.id, c.seq, format('ledger row %s says balance %s where %s follows', c.seq, c.balance_after, c.expected)
    from chain c where c.balance_after <> c.expected
    union all
    select p.id, 0, format('job %s took %s and gave back %s by its row, %s and %s by its ledger', j.job_id, j.credits_charged, j.credits_returned,
      s.charged, s.returned)
    from portion p join video_jobs j on j.user_id = p.id cross join lateral (
      select coalesce(sum(-q.change) filter (where q.change < 0), 0) as charged, coalesce(sum(q.change) filter (where q.change > 0), 0) as returned
      from quota_log q where q.job_id = j.job_id) s
    where not j.is_credits_exempt and (j.credits_charged, j.credits_returned) <> (s.charged, s.returned))
  select case when count(*) = p_limit then (select p.id from portion p order by p.id desc limit 1) end, count(*)::integer,
    coalesce((select jsonb_agg(jsonb_build_object('user_id', f.id, 'problem', f.problem) order by f.id, f.seq) from found f), '[]')
  from portion;
end
$$;
comment on function verify_ledger(uuid, integer) is
  'Checks the ledgers of the next users after an id; answers the last id (null: that was everybody), how many were checked, and their problems.';
