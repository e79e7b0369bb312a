-- Whether an admin may give credits now; the functions that give them ask here, so that no endpoint can avoid it. Null: yes. Else the answer that
-- says that another admin has to approve it, and what was asked for is kept until then. p_rules: approval_above (-1: nothing needs one),
-- approval_hours, support_daily_credits (-1: no sum). What an admin of support gave counts for 24 hours, what somebody approved does not.
create or replace function internal.admit_credits(p_admin_id uuid, p_operation text, p_request jsonb, p_user_id uuid, p_amount integer, p_rules jsonb) returns jsonb
language plpgsql security definer set search_path = internal, public, pg_temp as $$
declare
  c_max_pending constant integer := 100;
  v_above integer := coalesce((p_rules ->> 'approval_above')::integer, 500);
  v_daily integer := coalesce((p_rules ->> 'support_daily_credits')::integer, 500);
  v_given bigint;
  v_approval admin_approvals;
begin
  if p_amount <= 0 then
    return null;
  end if;
  -- Of calls of one admin at once each sees what the one before has given or asked for.
  perform pg_advisory_xact_lock(hashtextextended('admin_credits:' || p_admin_id, 0));
  if v_above >= 0 and p_amount > v_above then
    if (select count(*) from admin_approvals where requested_by = p_admin_id and state = 'pending' and expires_at > clock_timestamp()) >= c_max_pending then
      perform raise_error('ERR_4012', jsonb_build_object('reason', 'too_many_pending', 'max', c_max_pending));
    end if;
    insert into admin_approvals (operation, request, target_user_id, amount, requested_by, created_at, expires_at)
    values (p_operation, p_request, p_user_id, p_amount, p_admin_id, clock_timestamp(),
      clock_timestamp() + make_interval(hours => coalesce((p_rules ->> 'approval_hours')::integer, 24)))
    returning * into v_approval;
    perform write_admin_action(p_admin_id, 'approval_request', p_request, p_user_id, null, v_approval.id::text, p_amount,
      jsonb_build_object('operation', p_operation, 'job_id', p_request ->> 'job_id'));
    perform raise_alert('approval_wanted', v_approval.id::text,
      format('Admin %s asks to give %s credits to user %s; another admin approves or declines it in the console under Approvals.', p_admin_id, p_amount, p_user_id));
    return jsonb_build_object('pending', true, 'approval_id', v_approval.id, 'expires_at', to_json_time(v_approval.expires_at));
  elsif v_daily >= 0 and admin_role(p_admin_id) <> 'operator' then
    select coalesce(sum(a.amount), 0) into v_given from admin_actions a
    where a.admin_user_id = p_admin_id and a.action_type in ('credit_refund', 'credit_adjustment') and a.amount > 0
      and a.created_at > clock_timestamp() - interval '24 hours' and not a.details ? 'approval_id';
    if v_given + p_amount > v_daily then
      perform raise_error('ERR_4006', jsonb_build_object('reason', 'daily_sum', 'limit', v_daily, 'given', v_given, 'left', greatest(0, v_daily - v_given)));
    end if;
  end if;
  return null;
end
$$;
comment on function internal.admit_credits(uuid, text, jsonb, uuid, integer, jsonb) is
  'Null when the credits may be given now, else {"pending":true,"approval_id":uuid,"expires_at":time}; raises ERR_4006 (daily_sum), ERR_4012 (too_many_pending). Internal to the functions that give credits.';
