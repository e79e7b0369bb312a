-- The nightly look at the money: every user whose ledger does not add up, and balances that nobody should have. Each is an alert, by
-- the user's id and once a day. Answers how many there are.
create or replace function check_books(p_unusual_credits integer)
returns table (mismatches bigint, unusual bigint)
language plpgsql security definer set search_path = public, pg_temp as $$
declare
  v_day text := (clock_timestamp() at time zone 'UTC')::date::text;
begin
  select count(*) into mismatches from (
    select raise_alert('ledger_mismatch', v_day || ':' || c.user_id, format('The ledger of user %s does not add up: %s.', c.user_id, c.problem))
    from check_ledger() c limit 1000) raised;
  select count(*) into unusual from (
    select raise_alert('unusual_balance', v_day || ':' || u.id, format('User %s has %s credits.', u.id, u.credits_remaining))
    from users u where u.deleted_at is null and (u.credits_remaining > p_unusual_credits or u.credits_remaining < -p_unusual_credits)
    limit 100) raised;
  return next;
end
$$;
comment on function check_books(integer) is 'Alerts for users whose ledger does not add up and for unusual balances; answers how many.';
