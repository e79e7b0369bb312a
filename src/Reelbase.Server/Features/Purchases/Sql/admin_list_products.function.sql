-- What the app sells.
create or replace function admin_list_products(p_request jsonb) returns jsonb
language plpgsql stable security definer set search_path = internal, public, pg_temp as $$
declare
  v_admin uuid := require_admin();
begin
  return jsonb_build_object('rows', (select coalesce(jsonb_agg(with_json_times(to_jsonb(p), 'created_at') order by p.credits, p.product_id), '[]')
    from (select * from products order by product_id limit 500) p));
end
$$;
comment on function admin_list_products(jsonb) is
  '{"rows":[...]}. Raises ERR_4005, ERR_4006.';
