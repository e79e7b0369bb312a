-- The only place where a balance changes. The update locks the user row first, then the ledger row draws its seq, so
-- for one user the order of seq is the order of the balances. Earned credits also raise the lifetime total. A row that names a job moves
-- that job's credits_charged or credits_returned with it (trigger quota_log_row). Both in one statement, at whose end that trigger finds them equal.
-- Nobody but the definer functions may call it, so it is none itself.
create or replace function write_ledger(
  p_user_id uuid, p_change integer, p_reason text, p_job_id uuid default null,
  p_transaction_id text default null, p_note text default null)
returns integer language plpgsql as $$
declare
  v_balance integer;
begin
  with moved as (
    update users set
      credits_remaining = credits_remaining + p_change,
      -- It stops at the end of its range: it is shown and nothing is counted from it.
      credits_total = least(2147483647, credits_total::bigint + case
        when p_change > 0 and p_reason in ('initial_grant', 'iap_purchase', 'admin_adjustment', 'promo_code') then p_change else 0 end),
      updated_at = now()
    -- A merged-away account holds nothing any more; what was meant for it goes to lock_account's answer.
    where id = p_user_id and (merged_into is null or p_reason = 'merge')
      and credits_remaining::bigint + p_change between -2147483648 and 2147483647
    returning credits_remaining)
  insert into quota_log (user_id, job_id, change, reason, transaction_id, balance_after, note, created_at)
  select p_user_id, p_job_id, p_change, p_reason, p_transaction_id, m.credits_remaining, p_note, clock_timestamp() from moved m
  returning balance_after into v_balance;
  if not found then
    if exists (select from users where id = p_user_id and (merged_into is null or p_reason = 'merge')) then
      perform raise_error('ERR_4012', '{"reason":"balance_out_of_range"}');
    end if;
    raise exception 'write_ledger: no account %', p_user_id;
  end if;
  return v_balance;
end
$$;
comment on function write_ledger(uuid, integer, text, uuid, text, text) is
  'Changes a balance and writes its ledger row, together; answers the new balance. Raises ERR_4012 for one beyond its range. Internal to the definer functions.';
