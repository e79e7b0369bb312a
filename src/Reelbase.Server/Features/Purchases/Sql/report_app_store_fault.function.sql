-- Apple refused our key, or said what we cannot read: the operator gets an alert at once, once a day for each environment and cause.
create or replace function report_app_store_fault(p_environment text, p_cause text, p_message text) returns void
language sql security definer set search_path = internal, public, pg_temp as $$
  select raise_alert(case when p_cause = 'unreadable' then 'app_store_answer' else 'app_store_key' end,
    format('%s:%s:%s', (clock_timestamp() at time zone 'UTC')::date, p_environment, p_cause), p_message)
$$;
comment on function report_app_store_fault(text, text, text) is 'Raises an alert about the App Store''s answers, once a day for each environment and cause.';
