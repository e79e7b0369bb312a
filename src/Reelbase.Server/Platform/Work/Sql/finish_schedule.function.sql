create or replace function finish_schedule(p_name text, p_leased_by text, p_report jsonb) returns void
language sql security definer set search_path = internal, public, pg_temp as $$
  -- A request that came while it was done is still to be fulfilled.
  update schedules set last_finished_at = clock_timestamp(), report = p_report, progress = null,
    request = case when requested_at > last_started_at then request end,
    requested_at = case when requested_at > last_started_at then requested_at end,
    leased_by = null, lease_until = null
  where name = p_name and leased_by = p_leased_by
$$;
comment on function finish_schedule(text, text, jsonb) is 'Ends a scheduled run and keeps its report.';
