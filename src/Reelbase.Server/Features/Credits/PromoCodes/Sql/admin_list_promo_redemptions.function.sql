-- Who redeemed a code, the newest first, a page by number.
create or replace function admin_list_promo_redemptions(p_request jsonb) returns jsonb
language plpgsql stable security definer set search_path = internal, public, pg_temp as $$
declare
  v_admin uuid := require_admin();
  v_code uuid := read_admin_uuid(p_request, 'promo_code_id', 'promo_code');
  v_limit integer := read_admin_integer(p_request, 'limit', 1, 100, 50);
  v_before integer := read_admin_integer(p_request, 'before', 0, 2147483647, 2147483647);
  v_rows jsonb;
begin
  select coalesce(jsonb_agg(jsonb_build_object('number', r.number, 'user_id', r.user_id, 'account_id', account_of(r.user_id), 'credits', r.credits,
      'taken_back', r.taken_back, 'created_at', to_json_time(r.created_at)) order by r.number desc), '[]') into v_rows
  from (select * from promo_redemptions where code_id = v_code and number < v_before order by number desc limit v_limit) r;
  return jsonb_build_object('rows', v_rows, 'next_before', case when jsonb_array_length(v_rows) = v_limit then (v_rows -> -1 ->> 'number')::integer end);
end
$$;
comment on function admin_list_promo_redemptions(jsonb) is
  '{"rows":[...],"next_before":number or null}: who redeemed a promo code. Raises ERR_4000, ERR_4005, ERR_4006, ERR_4007.';
