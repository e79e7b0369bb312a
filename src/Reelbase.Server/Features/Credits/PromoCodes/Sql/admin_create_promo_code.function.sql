-- An operator makes a code. p_request: label, credits, max_redemptions, starts_at, ends_at, reason, and what the server has put in the code's place:
-- code_hash, hint, credit_limit (what a single admin may give; null: no bound).
create or replace function admin_create_promo_code(p_request jsonb) returns jsonb
language plpgsql security definer set search_path = internal, public, pg_temp as $$
declare
  v_admin uuid := require_operator();
  v_credits integer := read_admin_integer(p_request, 'credits', 1, 100000);
  v_most integer := read_admin_integer(p_request, 'max_redemptions', 1, 1000000);
  v_label text := read_admin_text(p_request, 'label', 100, true);
  v_times timestamptz[] := '{}';
  v_name text;
  v_id uuid;
begin
  if v_credits > (p_request ->> 'credit_limit')::integer then
    perform raise_error('ERR_4000', jsonb_build_object('field', 'credits', 'reason', 'more_than_one_admin_may_give', 'max', (p_request ->> 'credit_limit')::integer));
  end if;
  foreach v_name in array array['starts_at', 'ends_at'] loop
    begin
      v_times := v_times || read_admin_text(p_request, v_name, 40)::timestamptz;
    exception when data_exception then
      perform raise_error('ERR_4000', jsonb_build_object('field', v_name, 'reason', 'not_a_time'));
    end;
  end loop;
  v_id := create_promo_code(v_admin, read_admin_text(p_request, 'reason', 500, true), p_request ->> 'code_hash', p_request ->> 'hint', v_label,
    v_credits, v_most, v_times[1], v_times[2]);
  return jsonb_build_object('success', true, 'promo_code_id', v_id);
end
$$;
comment on function admin_create_promo_code(jsonb) is
  '{"success":true,"promo_code_id":uuid}. Raises ERR_4000, ERR_4005, ERR_4006, ERR_4012.';
