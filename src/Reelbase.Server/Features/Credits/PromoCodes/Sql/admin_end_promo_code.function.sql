create or replace function admin_end_promo_code(p_request jsonb) returns jsonb
language plpgsql security definer set search_path = internal, public, pg_temp as $$
declare
  v_admin uuid := require_operator();
  v_id uuid := read_admin_uuid(p_request, 'promo_code_id', 'promo_code');
begin
  if not end_promo_code(v_admin, read_admin_text(p_request, 'reason', 500, true), v_id) then
    perform raise_error('ERR_4007', '{"what":"promo_code"}');
  end if;
  return '{"success":true}';
end
$$;
comment on function admin_end_promo_code(jsonb) is '{"success":true}. Raises ERR_4000, ERR_4005, ERR_4006, ERR_4007.';
