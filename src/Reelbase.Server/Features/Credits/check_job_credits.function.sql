-- Every job whose row and ledger rows disagree on what it took and gave back: empty is the only good answer. Jobs that the migration exempted
-- are passed over.
create or replace function check_job_credits() returns table (user_id uuid, problem text)
language sql stable security definer set search_path = public, pg_temp as $$
  with sums as (
    select q.job_id, coalesce(sum(-q.change) filter (where q.change < 0), 0) as charged,
      coalesce(sum(q.change) filter (where q.change > 0), 0) as returned
    from quota_log q where q.job_id is not null group by q.job_id)
  select j.user_id, format('job %s took %s and gave back %s by its row, %s and %s by its ledger', j.job_id, j.credits_charged, j.credits_returned,
    coalesce(s.charged, 0), coalesce(s.returned, 0))
  from video_jobs j left join sums s on s.job_id = j.job_id
  where not j.is_credits_exempt and (j.credits_charged, j.credits_returned) <> (coalesce(s.charged, 0), coalesce(s.returned, 0))
$$;
comment on function check_job_credits() is 'Jobs whose row and ledger disagree on their credits, with the reason; empty when all is well. Internal to check_ledger.';
