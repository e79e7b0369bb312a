-- Support gives credits back, for a job or just so. p_request: user_id, amount (1 to max_credits), reason, job_id when it is for a job: then
-- no more than is left of what the job took, whether it has ended or not. The lifetime total does not rise. Above p_rules' approval_above it
-- is only asked for; with p_approval_id another admin carries out what was asked for, by the rules as they are now.
create or replace function admin_refund_credits(p_key uuid, p_request jsonb, p_rules jsonb, p_approval_id uuid) returns jsonb
language plpgsql security definer set search_path = internal, public, pg_temp as $$
declare
  v_admin uuid := require_admin();
  v_hash bytea := hash_request('admin-refund-credits', convert_to(p_request::text, 'UTF8'));
  v_user users;
  v_amount integer;
  v_id uuid;
  v_approval admin_approvals;
  v_answer jsonb;
  v_job video_jobs;
begin
  if p_approval_id is null then
    v_answer := (find_replay(v_admin, p_key, v_hash)).response_data;
    if v_answer is not null then
      return v_answer;
    end if;
  end if;
  v_user := lock_admin_target(p_request);
  v_amount := read_admin_integer(p_request, 'amount', 1, least(coalesce((p_rules ->> 'max_credits')::integer, 1000), 100000));
  -- Whoever names a job means one: what names nothing must not become a refund that no job bounds.
  if p_request ? 'job_id' then
    if jsonb_typeof(p_request -> 'job_id') <> 'string' or lower(btrim(p_request ->> 'job_id')) in ('', 'null', 'none', 'undefined') then
      perform raise_error('ERR_4000', '{"field":"job_id","reason":"must_be_an_id"}');
    end if;
    v_id := read_admin_uuid(p_request, 'job_id', 'job');
  end if;
  if p_approval_id is not null then
    v_approval := take_approval(p_approval_id, v_admin, 'admin-refund-credits', p_request, true);
  end if;
  if v_id is not null then
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
  end if;
  if p_approval_id is null then
    v_answer := admit_credits(v_admin, 'admin-refund-credits', p_request, v_user.id, v_amount, p_rules);
    if v_answer is not null then
      return keep_answer(v_admin, p_key, 'admin-refund-credits', v_hash, v_answer, 202);
    end if;
  end if;
  if v_id is null then
    perform write_ledger(v_user.id, v_amount, 'admin_refund');
  else
    perform return_job_credits(v_id, 'admin_refund', v_amount);
  end if;
  v_answer := jsonb_build_object('success', true, 'new_balance', (select credits_remaining from users where id = v_user.id));
  if p_approval_id is not null then
    perform write_admin_action(v_approval.requested_by, 'credit_refund', p_request, v_user.id, null, v_id::text, v_amount,
      jsonb_build_object('approval_id', p_approval_id, 'approved_by', v_admin));
    perform finish_approval(v_approval, v_admin, 'approved', v_answer);
    return v_answer;
  end if;
  perform write_admin_action(v_admin, 'credit_refund', p_request, v_user.id, null, v_id::text, v_amount);
  return keep_answer(v_admin, p_key, 'admin-refund-credits', v_hash, v_answer);
end
$$;
comment on function admin_refund_credits(uuid, jsonb, jsonb, uuid) is
  '{"success":true,"new_balance":n}, or {"pending":true,"approval_id":uuid,"expires_at":time}, once for each key. Raises ERR_4000, ERR_4005, ERR_4006, ERR_4007, ERR_4009, ERR_4012.';

-- compatibility: the previous release's nodes call this; goes in the next release
create or replace function admin_refund_credits(p_key uuid, p_request jsonb, p_max_credits integer) returns jsonb
language sql security definer set search_path = internal, public, pg_temp as $$
  select admin_refund_credits(p_key, p_request, jsonb_build_object('max_credits', p_max_credits), null)
$$;
comment on function admin_refund_credits(uuid, jsonb, integer) is
  'As above by the rules'' defaults, for the previous release, which has no setting for them.';
