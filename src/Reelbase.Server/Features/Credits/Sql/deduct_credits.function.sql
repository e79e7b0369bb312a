-- Takes credits from a user, never below zero. Locks the user row, so parallel calls are decided one after another.
create or replace function deduct_credits(p_user_id uuid, p_amount integer, p_reason text default 'video_generation')
returns jsonb language plpgsql security definer set search_path = internal, public, pg_temp as $$
declare
  v_user users;
begin
  if p_amount is null or p_amount <= 0 then
    return jsonb_build_object('success', false, 'error', 'Amount must be positive');
  end if;
  v_user := lock_account(p_user_id);
  if v_user.id is null or v_user.deleted_at is not null then
    return jsonb_build_object('success', false, 'error', 'User not found');
  end if;
  if v_user.credits_remaining < p_amount then
    return jsonb_build_object('success', false, 'error', 'Insufficient credits',
      'current_credits', v_user.credits_remaining, 'required_credits', p_amount);
  end if;
  return jsonb_build_object('success', true, 'credits_remaining', write_ledger(v_user.id, -p_amount, p_reason));
end
$$;
comment on function deduct_credits(uuid, integer, text) is
  '{"success":true,"credits_remaining":n}, or success false with error User not found, Insufficient credits '
  '(current_credits, required_credits) or Amount must be positive.';
