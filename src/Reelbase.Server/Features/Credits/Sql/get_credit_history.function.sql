-- One page of the caller's ledger, newest first, through merges. p_before is the seq of the last row already seen.
create or replace function get_credit_history(p_limit integer, p_before bigint) returns table (
  id uuid, seq bigint, change integer, reason text, job_id uuid, transaction_id text, balance_after integer,
  created_at timestamptz)
language plpgsql stable as $$
begin
  perform require_caller();
  return query
  select q.id, q.seq, q.change, q.reason, q.job_id, q.transaction_id, q.balance_after, q.created_at
  from quota_log q
  where p_before is null or q.seq < p_before
  order by q.seq desc
  limit least(p_limit, 101);
end
$$;
comment on function get_credit_history(integer, bigint) is
  'The caller''s ledger rows below seq p_before, newest first. Row security limits them to the caller.';
