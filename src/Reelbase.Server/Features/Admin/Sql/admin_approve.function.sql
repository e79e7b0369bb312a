-- Another admin decides what the first one asked for. p_request: approval_id, approve (true when absent), reason when there is one to say.
-- Approving carries it out by the very function that was called first, with its bounds as they are now.
create or replace function admin_approve(p_key uuid, p_request jsonb, p_rules jsonb) returns jsonb
language plpgsql security definer set search_path = internal, public, pg_temp as $$
declare
  v_admin uuid := require_operator();
  v_id uuid := read_admin_uuid(p_request, 'approval_id', 'approval');
  v_hash bytea := hash_request('admin-approve', convert_to(p_request::text, 'UTF8'));
  v_is_approved boolean := true;
  v_reason text := read_admin_text(p_request, 'reason', 500);
  v_approval admin_approvals;
  v_answer jsonb;
begin
  if jsonb_typeof(p_request -> 'approve') not in ('boolean', 'null') then
    perform raise_error('ERR_4000', '{"field":"approve","reason":"wrong_type"}');
  end if;
  v_is_approved := coalesce((p_request ->> 'approve')::boolean, true);
  v_answer := (find_replay(v_admin, p_key, v_hash)).response_data;
  if v_answer is not null then
    return v_answer;
  end if;
  select * into v_approval from admin_approvals where id = v_id;
  if not found then
    perform raise_error('ERR_4007', '{"what":"approval"}');
  elsif not v_is_approved then
    v_approval := take_approval(v_id, v_admin, v_approval.operation, v_approval.request, false);
    v_answer := '{"success":true,"declined":true}';
    perform finish_approval(v_approval, v_admin, 'declined', v_answer);
  elsif v_approval.operation = 'admin-refund-credits' then
    v_answer := admin_refund_credits(null, v_approval.request, p_rules, v_id);
  else
    v_answer := admin_adjust_credits(null, v_approval.request, p_rules, v_id);
  end if;
  perform write_admin_action(v_admin, case when v_is_approved then 'approval_grant' else 'approval_decline' end,
    jsonb_build_object('reason', coalesce(v_reason, case when v_is_approved then 'approved' else 'declined' end)),
    v_approval.target_user_id, null, v_id::text, v_approval.amount,
    jsonb_build_object('operation', v_approval.operation, 'requested_by', v_approval.requested_by));
  return case when p_key is null then v_answer else keep_answer(v_admin, p_key, 'admin-approve', v_hash, v_answer) end;
end
$$;
comment on function admin_approve(uuid, jsonb, jsonb) is
  'The answer of what was approved, or {"success":true,"declined":true}. Raises ERR_4000, ERR_4005, ERR_4006, ERR_4007, ERR_4009, ERR_4012 (already_decided, expired, requester_is_no_admin, and what the approved call raises).';
