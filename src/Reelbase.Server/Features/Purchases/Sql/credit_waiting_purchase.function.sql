-- Credits one purchase that waited for its product and has it now; false when there is none to try. Each call moves the purchase it tried
-- on, whatever becomes of it, so that nothing waits behind one that fails.
create or replace function credit_waiting_purchase(p_policy jsonb) returns boolean
language plpgsql security definer set search_path = internal, public, pg_temp as $$
declare
  v_waiting record;
begin
  select p.environment, p.transaction_id, p.user_id into v_waiting
  from purchases p join products d on d.product_id = p.product_id
  where p.credited_at is null and p.credits = 0 and p.run_after <= clock_timestamp() and p.user_id is not null
    and p.revoked_percentage < 100000 and p.quantity between 1 and 1000
  order by p.run_after limit 1;
  if not found then
    return false;
  end if;
  begin
    -- The user's row first, as everywhere; another worker that chose the same one finds it done.
    perform lock_account(v_waiting.user_id);
    perform settle_purchase(v_waiting.environment, v_waiting.transaction_id, p_policy);
  exception
    when serialization_failure or deadlock_detected then
      raise;
    when others then
      perform raise_alert('purchase_waiting', v_waiting.environment || ':' || v_waiting.transaction_id,
        format('The purchase %s could not be credited: %s', left(v_waiting.transaction_id, 100), left(sqlerrm, 300)));
  end;
  update purchases set attempt = attempt + 1, run_after = clock_timestamp() + make_interval(secs => 60 * power(2, least(attempt, 6)))
  where environment = v_waiting.environment and transaction_id = v_waiting.transaction_id and credited_at is null;
  return true;
end
$$;
comment on function credit_waiting_purchase(jsonb) is
  'Credits a purchase whose product was entered after it was bought; false when none is due.';
