-- Support gives credits back, for a job or just so. p_request: user_id, amount (1 to max_credits), reason, job_id when it is for a job:
-- then once, and not when the job was refunded by itself. The lifetime total does not rise.
create or replace function admin_refund_credits(p_key uuid, p_request jsonb, p_max_credits integer) returns jsonb
language plpgsql security definer set search_path = public, pg_temp as $$
declare
  v_admin uuid := require_admin();
  v_user users := lock_admin_target(p_request);
  v_amount integer := read_admin_integer(p_request, 'amount', 1, least(p_max_credits, 100000));
  v_job uuid := read_admin_uuid(p_request, 'job_id', 'job', false);
  v_answer jsonb := find_admin_replay(v_admin, p_key, 'admin-refund-credits', p_request);
begin
  if v_answer is not null then
    return v_answer;
  end if;
  if v_job is not null then
    if not exists (select from video_jobs where job_id = v_job and user_id = v_user.id) then
      perform raise_error('ERR_4007', '{"what":"job"}');
    elsif exists (select from quota_log where job_id = v_job and reason in ('generation_failed_refund', 'admin_refund')) then
      perform raise_error('ERR_4012', '{"reason":"already_refunded"}');
    elsif v_amount > (select credits_used from video_jobs where job_id = v_job) then
      perform raise_error('ERR_4000', '{"field":"amount","reason":"more_than_the_job_cost"}');
    end if;
  end if;
  perform write_admin_action(v_admin, 'credit_refund', p_request, v_user.id, null, v_job::text, v_amount);
  return store_admin_answer(v_admin, p_key, 'admin-refund-credits', p_request, jsonb_build_object('success', true,
    'new_balance', write_ledger(v_user.id, v_amount, 'admin_refund', v_job)));
end
$$;
comment on function admin_refund_credits(uuid, jsonb, integer) is
  '{"success":true,"new_balance":n}, once for each key. Raises ERR_4000, ERR_4005, ERR_4006, ERR_4007, ERR_4009, ERR_4012.';
