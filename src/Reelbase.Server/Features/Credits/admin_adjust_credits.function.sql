-- Support sets a balance right, up or down, never below zero. p_request: user_id, amount (not 0, up to max_credits either way), reason.
create or replace function admin_adjust_credits(p_key uuid, p_request jsonb, p_max_credits integer) returns jsonb
language plpgsql security definer set search_path = public, pg_temp as $$
declare
  v_admin uuid := require_admin();
  v_user users := lock_admin_target(p_request);
  v_amount integer := read_admin_integer(p_request, 'amount', -least(p_max_credits, 100000), least(p_max_credits, 100000));
  v_answer jsonb := find_admin_replay(v_admin, p_key, 'admin-adjust-credits', p_request);
begin
  if v_answer is not null then
    return v_answer;
  end if;
  if v_amount = 0 then
    perform raise_error('ERR_4000', '{"field":"amount","reason":"must_not_be_zero"}');
  elsif v_amount < 0 and v_user.credits_remaining + v_amount < 0 then
    perform raise_error('ERR_4012', jsonb_build_object('reason', 'balance_below_zero', 'available', v_user.credits_remaining));
  end if;
  perform write_admin_action(v_admin, 'credit_adjustment', p_request, v_user.id, null, null, v_amount);
  return store_admin_answer(v_admin, p_key, 'admin-adjust-credits', p_request, jsonb_build_object('success', true,
    'new_balance', write_ledger(v_user.id, v_amount, 'admin_adjustment')));
end
$$;
comment on function admin_adjust_credits(uuid, jsonb, integer) is
  '{"success":true,"new_balance":n}, once for each key. Raises ERR_4000, ERR_4005, ERR_4006, ERR_4007, ERR_4009, ERR_4012.';
