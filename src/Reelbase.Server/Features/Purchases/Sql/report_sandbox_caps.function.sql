-- At the start: products that a buyer in the sandbox could not get, because a cap is smaller than they are. The operator gets an alert for
-- each, once for each cap.
create or replace function report_sandbox_caps(p_policy jsonb) returns table (product_id text, credits integer, per_user bigint, per_day bigint)
language plpgsql security definer set search_path = internal, public, pg_temp as $$
#variable_conflict use_column
begin
  if not (p_policy ->> 'accept_sandbox')::boolean then
    return;
  end if;
  for product_id, credits, per_user, per_day in
    select d.product_id, d.credits, c.per_user, c.per_day from products d, sandbox_caps(p_policy) c
    where d.is_active and d.credits > least(c.per_user, c.per_day) order by d.product_id limit 100 loop
    perform raise_alert('sandbox_cap', format('%s:%s:%s', left(product_id, 120), credits, least(per_user, per_day)),
      format('The product %s gives %s credits, more than sandbox purchases may give (%s a user, %s a day): App Review would see its purchase fail. '
        'Raise Purchases:SandboxCreditsPerUser and SandboxCreditsPerDay, or remove them.', product_id, credits, per_user, per_day));
    return next;
  end loop;
end
$$;
comment on function report_sandbox_caps(jsonb) is
  'Active products that do not fit the caps of the sandbox, each with an alert.';
