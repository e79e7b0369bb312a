-- Asks for a check of every ledger; a worker does it beside the traffic, and the answer appears in the schedules.
create or replace function admin_request_ledger_check(p_request jsonb) returns jsonb
language plpgsql security definer set search_path = internal, public, pg_temp as $$
declare
  v_admin uuid := require_admin();
begin
  perform write_admin_action(v_admin, 'ledger_check', p_request);
  perform request_schedule('ledger_check');
  return jsonb_build_object('success', true);
end
$$;
comment on function admin_request_ledger_check(jsonb) is
  '{"success":true}. Raises ERR_4000, ERR_4005, ERR_4006.';
