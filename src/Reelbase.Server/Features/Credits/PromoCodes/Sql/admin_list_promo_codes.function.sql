create or replace function admin_list_promo_codes(p_request jsonb) returns jsonb
language plpgsql stable security definer set search_path = internal, public, pg_temp as $$
declare
  v_admin uuid := require_admin();
begin
  return jsonb_build_object('rows', (select coalesce(jsonb_agg(
      with_json_times(to_jsonb(c), 'last_redeemed_at', 'starts_at', 'ends_at', 'ended_at', 'created_at') order by c.created_at desc, c.id), '[]')
    from list_promo_codes() c));
end
$$;
comment on function admin_list_promo_codes(jsonb) is '{"rows":[...]}: promo codes with their uses. Raises ERR_4005, ERR_4006.';
