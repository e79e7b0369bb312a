-- verify_ledger for the next users, with an alert for each whose ledger does not add up and for balances that nobody should have, by the
-- user's id and once a day. At most 1000 alerts of a portion; all are counted.
create or replace function alert_ledger_problems(p_after_user_id uuid, p_limit integer, p_unusual_credits integer)
returns table (last_user_id uuid, users integer, mismatches integer, unusual integer)
language plpgsql security definer set search_path = internal, public, pg_temp as $$
#variable_conflict use_column
declare
  v_day text := (clock_timestamp() at time zone 'UTC')::date::text;
  v_portion record;
begin
  select * into v_portion from verify_ledger(p_after_user_id, p_limit);
  perform raise_alert('ledger_mismatch', v_day || ':' || (p ->> 'user_id'),
    format('The ledger of user %s does not add up: %s.', p ->> 'user_id', p ->> 'problem'))
  from (select p from jsonb_array_elements(v_portion.problems) p limit 1000) first(p);
  perform raise_alert('unusual_balance', v_day || ':' || u.id, format('User %s has %s credits.', u.id, u.credits_remaining))
  from (select u.id, u.credits_remaining, u.deleted_at from users u
    where u.id > coalesce(p_after_user_id, '00000000-0000-0000-0000-000000000000')
      and u.id <= coalesce(v_portion.last_user_id, 'ffffffff-ffff-ffff-ffff-ffffffffffff')) u
  where u.deleted_at is null and abs(u.credits_remaining::bigint) > p_unusual_credits limit 1000;
  get diagnostics unusual = row_count;
  last_user_id := v_portion.last_user_id;
  users := v_portion.users;
  mismatches := (select count(distinct p ->> 'user_id') from jsonb_array_elements(v_portion.problems) p);
  return next;
end
$$;
comment on function alert_ledger_problems(uuid, integer, integer) is
  'Checks the next users'' ledgers and alerts about what it finds; answers the last id (null: that was everybody), users, mismatches and unusual balances.';
