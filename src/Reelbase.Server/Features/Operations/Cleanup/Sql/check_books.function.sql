-- compatibility: the previous release's nodes call this; goes in the next release. alert_ledger_problems has taken its place.
create or replace function check_books(p_unusual_credits integer)
returns table (mismatches bigint, unusual bigint)
language plpgsql security definer set search_path = internal, public, pg_temp as $$
declare
  v_after uuid;
  v_portion record;
begin
  mismatches := 0;
  unusual := 0;
  loop
    select * into v_portion from alert_ledger_problems(v_after, 5000, p_unusual_credits);
    mismatches := mismatches + v_portion.mismatches;
    unusual := unusual + v_portion.unusual;
    v_after := v_portion.last_user_id;
    exit when v_after is null;
  end loop;
  return next;
end
$$;
comment on function check_books(integer) is 'Alerts for users whose ledger does not add up and for unusual balances; answers how many.';
