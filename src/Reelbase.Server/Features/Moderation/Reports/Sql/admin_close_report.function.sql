-- A report that has been dealt with.
create or replace function admin_close_report(p_request jsonb) returns jsonb
language plpgsql security definer set search_path = internal, public, pg_temp as $$
declare
  v_admin uuid := require_admin();
  v_id bigint := read_admin_integer(p_request, 'report_id', 1, 9000000000000000);
begin
  if not close_content_report(v_id) then
    perform raise_error('ERR_4007', '{"what":"report"}');
  end if;
  perform write_admin_action(v_admin, 'report_close', p_request, (select r.user_id from content_reports r where r.id = v_id), null, v_id::text);
  return jsonb_build_object('success', true);
end
$$;
comment on function admin_close_report(jsonb) is
  '{"success":true}. Raises ERR_4000, ERR_4005, ERR_4006, ERR_4007.';
