-- Keeps the list of balances below zero: a condition on each update and no work, but for a balance that passes zero.
create or replace function internal.note_balance_below_zero() returns trigger
language plpgsql security definer set search_path = internal, public, pg_temp as $$
begin
  if new.credits_remaining < 0 then
    insert into balances_below_zero (user_id) values (new.id) on conflict do nothing;
  else
    delete from balances_below_zero where user_id = new.id;
  end if;
  return null;
end
$$;
comment on function internal.note_balance_below_zero() is 'Trigger: balances_below_zero holds the users whose balance is below zero.';
drop trigger if exists users_below_zero on users;
create trigger users_below_zero after update on users
  for each row when ((old.credits_remaining < 0) <> (new.credits_remaining < 0)) execute function internal.note_balance_below_zero();
drop trigger if exists users_begin_below_zero on users;
create trigger users_begin_below_zero after insert on users
  for each row when (new.credits_remaining < 0) execute function internal.note_balance_below_zero();
