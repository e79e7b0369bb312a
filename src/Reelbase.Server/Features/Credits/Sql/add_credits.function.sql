-- Gives credits to a user. A transaction id counts once, also when two calls race: the second one waits on the unique
-- key and is then answered that it was processed.
create or replace function add_credits(
  p_user_id uuid, p_amount integer, p_reason text, p_transaction_id text default null)
returns jsonb language plpgsql security definer set search_path = internal, public, pg_temp as $$
declare
  v_constraint text;
  v_balance integer;
  v_user users;
begin
  if p_amount is null or p_amount <= 0 then
    return jsonb_build_object('success', false, 'error', 'Amount must be positive');
  end if;
  v_user := lock_account(p_user_id);
  if v_user.id is null or v_user.deleted_at is not null then
    return jsonb_build_object('success', false, 'error', 'User not found');
  end if;
  if v_user.credits_remaining::bigint + p_amount > 2147483647 then
    return jsonb_build_object('success', false, 'error', 'Balance out of range');
  end if;
  begin
    v_balance := write_ledger(v_user.id, p_amount, p_reason, null, p_transaction_id);
  exception when unique_violation then
    get stacked diagnostics v_constraint = constraint_name;
    if v_constraint <> 'quota_log_transaction_id_key' then
      raise;
    end if;
    return jsonb_build_object('success', false, 'error', 'Transaction already processed');
  end;
  return jsonb_build_object('success', true, 'credits_added', p_amount, 'credits_remaining', v_balance);
end
$$;
comment on function add_credits(uuid, integer, text, text) is
  '{"success":true,"credits_added":n,"credits_remaining":n}, or success false with error User not found, '
  'Transaction already processed, Balance out of range or Amount must be positive.';
