-- Makes a product or changes one. Purchases that were credited keep what they gave; those that wait for this product are credited, a
-- hundred here and the rest (and the sandbox's, which has caps) by the worker.
create or replace function admin_save_product(p_request jsonb) returns jsonb
language plpgsql security definer set search_path = internal, public, pg_temp as $$
declare
  v_admin uuid := require_operator();
  v_id text := read_admin_text(p_request, 'product_id', 200, true);
  v_credits integer := read_admin_integer(p_request, 'credits', 1, 1000000);
  v_tier text := read_admin_text(p_request, 'grants_tier', 20);
  v_is_active boolean := true;
  v_is_new boolean;
  v_waiting record;
  v_credited integer := 0;
begin
  if jsonb_typeof(p_request -> 'is_active') not in ('boolean', 'null') then
    perform raise_error('ERR_4000', '{"field":"is_active","reason":"wrong_type"}');
  end if;
  v_is_active := coalesce((p_request ->> 'is_active')::boolean, true);
  if v_tier is not null and v_tier not in ('free', 'premium') then
    perform raise_error('ERR_4000', '{"field":"grants_tier","reason":"unknown"}');
  end if;
  -- Everybody is free without a product: one that gives that gives no tier.
  v_tier := nullif(v_tier, 'free');
  v_is_new := not exists (select from products where product_id = v_id);
  insert into products (product_id, credits, grants_tier, is_active) values (v_id, v_credits, v_tier, v_is_active)
  on conflict on constraint products_pkey do update set credits = excluded.credits, grants_tier = excluded.grants_tier, is_active = excluded.is_active;
  for v_waiting in
    select p.environment, p.transaction_id, account_of(p.user_id) as owner from purchases p
    where p.credited_at is null and p.credits = 0 and p.product_id = v_id and p.environment = 'Production' and p.user_id is not null
      and p.revoked_percentage < 100000 and p.quantity between 1 and 1000
    order by account_of(p.user_id), p.purchased_at limit 100 loop
    -- Whoever is busy is left to the worker, so that no order of locks can go wrong.
    perform 1 from users where id = v_waiting.owner and deleted_at is null for no key update skip locked;
    if found then
      v_credited := v_credited + ((settle_purchase(v_waiting.environment, v_waiting.transaction_id, null) ->> 'outcome') = 'credited')::integer;
    end if;
  end loop;
  update purchases p set run_after = clock_timestamp(), attempt = 0
  from (select environment, transaction_id from purchases where credited_at is null and credits = 0 and product_id = v_id
    for no key update skip locked) w
  where p.environment = w.environment and p.transaction_id = w.transaction_id;
  perform write_admin_action(v_admin, case when v_is_new then 'product_create' else 'product_edit' end, p_request, null, null, v_id, null,
    jsonb_build_object('credits', v_credits, 'grants_tier', v_tier, 'is_active', v_is_active, 'credited', v_credited));
  return jsonb_build_object('success', true);
end
$$;
comment on function admin_save_product(jsonb) is
  '{"success":true}. Raises ERR_4000, ERR_4005, ERR_4006.';
