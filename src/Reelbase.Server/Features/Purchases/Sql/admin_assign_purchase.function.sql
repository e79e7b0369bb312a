-- Gives a purchase that nobody is known to own to its owner, by Apple's transaction id; once, and audited. What is somebody else's, or
-- was credited to anybody, stays theirs. The caps of the sandbox do not count: an admin decides.
create or replace function admin_assign_purchase(p_request jsonb) returns jsonb
language plpgsql security definer set search_path = internal, public, pg_temp as $$
declare
  v_admin uuid := require_admin();
  v_id text := read_admin_text(p_request, 'transaction_id', 200, true);
  v_user users := lock_admin_target(p_request);
  v_purchase purchases;
  v_owner uuid;
  v_result jsonb;
begin
  select * into v_purchase from purchases where transaction_id = v_id order by environment limit 1 for no key update;
  if not found then
    perform raise_error('ERR_4007', '{"what":"purchase"}');
  end if;
  v_owner := purchase_owner(v_purchase.environment, v_id, null, v_user.id);
  if v_owner <> v_user.id then
    perform raise_error('ERR_4012', '{"reason":"purchase_of_another_user"}');
  elsif v_purchase.credited_at is not null then
    return jsonb_build_object('success', true, 'credits_added', 0);
  end if;
  update purchases set user_id = v_user.id, updated_at = clock_timestamp() where environment = v_purchase.environment and transaction_id = v_id;
  v_result := settle_purchase(v_purchase.environment, v_id, null);
  if v_purchase.user_id is distinct from v_user.id or (v_result ->> 'credits_added')::integer > 0 then
    perform write_admin_action(v_admin, 'purchase_assign', p_request, v_user.id, null, v_id, (v_result ->> 'credits_added')::integer,
      jsonb_build_object('environment', v_purchase.environment, 'product_id', v_purchase.product_id, 'outcome', v_result ->> 'outcome'));
  end if;
  return jsonb_build_object('success', true, 'credits_added', (v_result ->> 'credits_added')::integer)
    || case when v_result ->> 'outcome' = 'pending' then '{"pending":true}' else '{}' end::jsonb;
end
$$;
comment on function admin_assign_purchase(jsonb) is
  '{"success":true,"credits_added":n}; "pending":true while its product is unknown. Raises ERR_4000, ERR_4005, ERR_4006, ERR_4007, ERR_4012.';
