-- Lets the worker handle a stored event once more.
create or replace function admin_resend_delivery(p_request jsonb) returns jsonb
language plpgsql security definer set search_path = internal, public, pg_temp as $$
declare
  v_admin uuid := require_admin();
  v_id bigint := read_admin_integer(p_request, 'delivery_id', 1, 9000000000000000);
begin
  if not exists (select from webhook_deliveries where id = v_id) then
    perform raise_error('ERR_4007', '{"what":"delivery"}');
  elsif not resend_webhook_delivery(v_id) then
    perform raise_error('ERR_4012', '{"reason":"nothing_was_kept_of_it"}');
  end if;
  perform write_admin_action(v_admin, 'webhook_resend', p_request, (select d.user_id from webhook_deliveries d where d.id = v_id), null, v_id::text);
  return jsonb_build_object('success', true);
end
$$;
comment on function admin_resend_delivery(jsonb) is
  '{"success":true}. Raises ERR_4000, ERR_4005, ERR_4006, ERR_4007, ERR_4012.';
