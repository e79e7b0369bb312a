-- Makes a product or changes one. Purchases that were credited keep what they gave.
create or replace function admin_save_product(p_request jsonb) returns jsonb
language plpgsql security definer set search_path = public, pg_temp as $$
declare
  v_admin uuid := require_admin();
  v_id text := read_admin_text(p_request, 'product_id', 200, true);
  v_credits integer := read_admin_integer(p_request, 'credits', 1, 1000000);
  v_tier text := read_admin_text(p_request, 'grants_tier', 20);
  v_is_active boolean := true;
  v_is_new boolean;
begin
  if jsonb_typeof(p_request -> 'is_active') not in ('boolean', 'null') then
    perform raise_error('ERR_4000', '{"field":"is_active","reason":"wrong_type"}');
  end if;
  v_is_active := coalesce((p_request ->> 'is_active')::boolean, true);
  if v_tier is not null and v_tier not in ('free', 'premium') then
    perform raise_error('ERR_4000', '{"field":"grants_tier","reason":"unknown"}');
  end if;
  v_is_new := not exists (select from products where product_id = v_id);
  insert into products (product_id, credits, grants_tier, is_active) values (v_id, v_credits, v_tier, v_is_active)
  on conflict on constraint products_pkey do update set credits = excluded.credits, grants_tier = excluded.grants_tier, is_active = excluded.is_active;
  perform write_admin_action(v_admin, case when v_is_new then 'product_create' else 'product_edit' end, p_request, null, null, v_id, null,
    jsonb_build_object('credits', v_credits, 'grants_tier', v_tier, 'is_active', v_is_active));
  return jsonb_build_object('success', true);
end
$$;
comment on function admin_save_product(jsonb) is
  '{"success":true}. Raises ERR_4000, ERR_4005, ERR_4006.';
