-- Support gives credits back, for a job or just so. p_request: user_id, amount (1 to max_credits), reason, job_id when it is for a job: then
-- no more than is left of what the job took, whether it has ended or not. The lifetime total does not rise.
create or replace function admin_refund_credits(p_key uuid, p_request jsonb, p_max_credits integer) returns jsonb
language plpgsql security definer set search_path = public, pg_temp as $$
declare
  v_admin uuid := require_admin();
  v_user users := lock_admin_target(p_request);
  v_amount integer := read_admin_integer(p_request, 'amount', 1, least(p_max_credits, 100000));
  v_id uuid := read_admin_uuid(p_request, 'job_id', 'job', false);
  v_answer jsonb := find_admin_replay(v_admin, p_key, 'admin-refund-credits', p_request);
  v_job video_jobs;
begin
  if v_answer is not null then
    return v_answer;
  end if;
  if v_id is null then
    perform write_ledger(v_user.id, v_amount, 'admin_refund');
  else
    -- Asked before anything of it is locked: of two refunds that name each other's users neither may wait for the other.
    if (select account_of(j.user_id) from video_jobs j where j.job_id = v_id) is distinct from v_user.id then
      perform raise_error('ERR_4007', '{"what":"job"}');
    end if;
    v_job := lock_job_credits(v_id);
    if v_amount > v_job.credits_charged - v_job.credits_returned then
      perform raise_error('ERR_4012', jsonb_build_object(
        'reason', case when v_job.credits_returned > 0 and v_job.credits_returned = v_job.credits_charged then 'already_refunded' else 'more_than_is_left' end,
        'left', v_job.credits_charged - v_job.credits_returned, 'charged', v_job.credits_charged, 'returned', v_job.credits_returned));
    end if;
    perform return_job_credits(v_id, 'admin_refund', v_amount);
  end if;
  perform write_admin_action(v_admin, 'credit_refund', p_request, v_user.id, null, v_id::text, v_amount);
  return store_admin_answer(v_admin, p_key, 'admin-refund-credits', p_request, jsonb_build_object('success', true,
    'new_balance', (select credits_remaining from users where id = v_user.id)));
end
$$;
comment on function admin_refund_credits(uuid, jsonb, integer) is
  '{"success":true,"new_balance":n}, once for each key. Raises ERR_4000, ERR_4005, ERR_4006, ERR_4007, ERR_4009, ERR_4012.';
