-- An approval that is being decided by an admin, locked: pending, not expired, and about exactly this. To approve it takes an operator who is not
-- the one who asked, and who asked still has to be an admin (their session may have ended). Whoever calls this has locked the account first.
create or replace function internal.take_approval(p_approval_id uuid, p_admin_id uuid, p_operation text, p_request jsonb, p_is_approved boolean) returns admin_approvals
language plpgsql security definer set search_path = internal, public, pg_temp as $$
declare
  v_approval admin_approvals;
begin
  select * into v_approval from admin_approvals where id = p_approval_id for no key update;
  if not found or v_approval.operation <> p_operation or v_approval.request <> p_request then
    perform raise_error('ERR_4007', '{"what":"approval"}');
  elsif admin_role(p_admin_id) <> 'operator' then
    perform raise_error('ERR_4006', '{"reason":"operator_required"}');
  elsif v_approval.state <> 'pending' then
    perform raise_error('ERR_4012', jsonb_build_object('reason', 'already_decided', 'state', v_approval.state));
  elsif v_approval.expires_at <= clock_timestamp() then
    perform raise_error('ERR_4012', '{"reason":"expired"}');
  elsif p_is_approved and v_approval.requested_by = p_admin_id then
    perform raise_error('ERR_4006', '{"reason":"own_request"}');
  elsif p_is_approved and not exists (select from users where id = v_approval.requested_by and is_admin and banned_at is null and deleted_at is null) then
    perform raise_error('ERR_4012', '{"reason":"requester_is_no_admin"}');
  end if;
  return v_approval;
end
$$;
comment on function internal.take_approval(uuid, uuid, text, jsonb, boolean) is
  'The locked approval; raises ERR_4006, ERR_4007, ERR_4012 (already_decided, expired, requester_is_no_admin). Internal to the functions that give credits.';
