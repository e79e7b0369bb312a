-- A scheduled run broke off: its lease is given back at once and the reason is seen in the console. It is still due, and goes on from its
-- progress.
create or replace function release_schedule(p_name text, p_leased_by text, p_error text) returns void
language sql security definer set search_path = internal, public, pg_temp as $$
  update schedules set leased_by = null, lease_until = null,
    report = coalesce(report, '{}') || jsonb_build_object('broke_off', left(p_error, 500), 'broke_off_at', to_json_time(clock_timestamp()))
  where name = p_name and leased_by = p_leased_by
$$;
comment on function release_schedule(text, text, text) is 'Gives the lease of a scheduled run back after an error.';
