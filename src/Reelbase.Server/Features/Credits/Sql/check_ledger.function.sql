-- Every user whose ledger does not add up: empty is the only good answer. verify_ledger in portions, all in one statement: for tests and
-- small installations.
create or replace function check_ledger() returns table (user_id uuid, problem text)
language plpgsql stable security definer set search_path = internal, public, pg_temp as $$
declare
  v_after uuid;
  v_portion record;
begin
  loop
    select * into v_portion from verify_ledger(v_after, 5000);
    return query select (p ->> 'user_id')::uuid, p ->> 'problem' from jsonb_array_elements(v_portion.problems) p;
    v_after := v_portion.last_user_id;
    exit when v_after is null;
  end loop;
end
$$;
comment on function check_ledger() is 'Users whose ledger does not equal their balance, with the reason; empty when all is well.';
