-- The bundle was sent (p_error null), or is tried again after p_retry_after_seconds, at most p_max_attempts times.
create or replace function finish_alerts(
  p_ids bigint[], p_leased_by text, p_error text, p_retry_after_seconds double precision, p_max_attempts integer)
returns void language sql security definer set search_path = internal, public, pg_temp as $$
  update alerts set
    status = case when p_error is null then 'sent' when attempt >= p_max_attempts then 'failed' else 'pending' end,
    finished_at = case when p_error is null or attempt >= p_max_attempts then clock_timestamp() end,
    dead_at = case when p_error is not null and attempt >= p_max_attempts then clock_timestamp() end,
    last_error = left(p_error, 200), leased_by = null, lease_until = null,
    run_after = clock_timestamp() + make_interval(secs => coalesce(p_retry_after_seconds, 0))
  where id = any (p_ids) and leased_by = p_leased_by
$$;
comment on function finish_alerts(bigint[], text, text, double precision, integer) is 'Records that a bundle of alerts was sent, or is to be tried again.';
