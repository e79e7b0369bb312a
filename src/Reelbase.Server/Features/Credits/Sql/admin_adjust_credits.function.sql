-- Support sets a balance right, up or down, never below zero. p_request: user_id, amount (not 0, up to max_credits either way), reason. What is
-- given and who approves it goes by p_rules and p_approval_id as with a refund; taking away needs nobody else.
create or replace function admin_adjust_credits(p_key uuid, p_request jsonb, p_rules jsonb, p_approval_id uuid) returns jsonb
language plpgsql security definer set search_path = internal, public, pg_temp as $$
declare
  v_admin uuid := require_admin();
  v_hash bytea := hash_request('admin-adjust-credits', convert_to(p_request::text, 'UTF8'));
  v_user users;
  v_max integer := least(coalesce((p_rules ->> 'max_credits')::integer, 1000), 100000);
  v_amount integer;
  v_approval admin_approvals;
  v_answer jsonb;
begin
  if p_approval_id is null then
    v_answer := (find_replay(v_admin, p_key, v_hash)).response_data;
    if v_answer is not null then
      return v_answer;
    end if;
  end if;
  v_user := lock_admin_target(p_request);
  v_amount := read_admin_integer(p_request, 'amount', -v_max, v_max);
  if p_approval_id is not null then
    v_approval := take_approval(p_approval_id, v_admin, 'admin-adjust-credits', p_request, true);
  end if;
  if v_amount = 0 then
    perform raise_error('ERR_4000', '{"field":"amount","reason":"must_not_be_zero"}');
  elsif v_amount < 0 and v_user.credits_remaining + v_amount < 0 then
    perform raise_error('ERR_4012', jsonb_build_object('reason', 'balance_below_zero', 'available', v_user.credits_remaining));
  end if;
  if p_approval_id is not null then
    perform write_admin_action(v_approval.requested_by, 'credit_adjustment', p_request, v_user.id, null, null, v_amount,
      jsonb_build_object('approval_id', p_approval_id, 'approved_by', v_admin));
    v_answer := jsonb_build_object('success', true, 'new_balance', write_ledger(v_user.id, v_amount, 'admin_adjustment'));
    perform finish_approval(v_approval, v_admin, 'approved', v_answer);
    return v_answer;
  end if;
  v_answer := admit_credits(v_admin, 'admin-adjust-credits', p_request, v_user.id, v_amount, p_rules);
  if v_answer is null then
    perform write_admin_action(v_admin, 'credit_adjustment', p_request, v_user.id, null, null, v_amount);
    v_answer := jsonb_build_object('success', true, 'new_balance', write_ledger(v_user.id, v_amount, 'admin_adjustment'));
  end if;
  return keep_answer(v_admin, p_key, 'admin-adjust-credits', v_hash, v_answer, case when v_answer ? 'approval_id' then 202 else 200 end);
end
$$;
comment on function admin_adjust_credits(uuid, jsonb, jsonb, uuid) is
  '{"success":true,"new_balance":n}, or {"pending":true,"approval_id":uuid,"expires_at":time}, once for each key. Raises ERR_4000, ERR_4005, ERR_4006, ERR_4007, ERR_4009, ERR_4012.';

-- compatibility: the previous release's nodes call this; goes in the next release
create or replace function admin_adjust_credits(p_key uuid, p_request jsonb, p_max_credits integer) returns jsonb
language sql security definer set search_path = internal, public, pg_temp as $$
  select admin_adjust_credits(p_key, p_request, jsonb_build_object('max_credits', p_max_credits), null)
$$;
comment on function admin_adjust_credits(uuid, jsonb, integer) is
  'As above by the rules'' defaults, for the previous release, which has no setting for them.';
