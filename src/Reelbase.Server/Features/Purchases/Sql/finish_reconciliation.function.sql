-- p_covered_until null: it broke off (Apple could not be asked); tried again after p_retry_after_seconds, from the same point.
create or replace function finish_reconciliation(
  p_environment text, p_leased_by text, p_covered_until timestamptz, p_report jsonb, p_retry_after_seconds integer)
returns void language sql security definer set search_path = internal, public, pg_temp as $$
  update reconciliations set
    covered_until = coalesce(p_covered_until, covered_until),
    finished_at = case when p_covered_until is null then finished_at else clock_timestamp() end,
    report = p_report,
    retry_at = case when p_covered_until is null then clock_timestamp() + make_interval(secs => p_retry_after_seconds) end,
    leased_by = null, lease_until = null
  where environment = p_environment and leased_by = p_leased_by
$$;
comment on function finish_reconciliation(text, text, timestamptz, jsonb, integer) is 'Ends a reconciliation and keeps its report, or leaves it for a later attempt.';
