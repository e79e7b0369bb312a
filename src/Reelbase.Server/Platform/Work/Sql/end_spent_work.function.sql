-- Of these rows, those that were tried p_max_attempts times are dead from now on: never claimed again, kept for an operator, alerted once.
-- An alert that no channel takes is the one thing that no alert can be about; the console shows it. Internal.
create or replace function internal.end_spent_work(p_work text, p_keys text[], p_max_attempts integer) returns void
language plpgsql security definer set search_path = internal, public, pg_temp as $$
declare
  v_key text;
  v_attempts integer;
  v_error text;
begin
  foreach v_key in array p_keys loop
    execute (select format('update %I set dead_at = clock_timestamp(), leased_by = null, lease_until = null,
        last_error = coalesce(last_error, ''every attempt ended without a result'')%s
      where %s and attempt >= $2 and dead_at is null returning attempt, last_error', t.table_name, t.end_clause, t.key_condition) from work_table(p_work) t)
      into v_attempts, v_error using v_key, p_max_attempts;
    if v_attempts is not null and p_work <> 'alerts' then
      perform raise_alert('dead_work', p_work || ':' || v_key, format('%s: row %s was given up after %s attempts (%s). See the console, System.',
        p_work, case when p_work = 'purchase_claims' then 'of user ' || left(v_key, 36) else v_key end, v_attempts, v_error));
    end if;
  end loop;
end
$$;
comment on function internal.end_spent_work(text, text[], integer) is 'Gives up rows whose attempts are used up, with one alert for each. Internal to the definer functions.';
