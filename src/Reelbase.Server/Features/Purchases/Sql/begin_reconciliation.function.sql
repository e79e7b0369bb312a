-- The lease to compare one environment of the App Store with our purchases, once in p_every_seconds for the whole installation.
-- Answers from when on Apple's list has not been read; no row: it is not time, or somebody else is at it.
create or replace function begin_reconciliation(p_environment text, p_leased_by text, p_lease_seconds integer, p_every_seconds integer)
returns table (covered_until timestamptz)
language plpgsql security definer set search_path = internal, public, pg_temp as $$
#variable_conflict use_column
begin
  insert into reconciliations (environment) values (p_environment) on conflict do nothing;
  return query
  update reconciliations r set leased_by = p_leased_by, lease_until = clock_timestamp() + make_interval(secs => p_lease_seconds),
    started_at = clock_timestamp(), retry_at = null
  where r.environment = p_environment and (r.lease_until is null or r.lease_until < clock_timestamp())
    and (r.retry_at is null or r.retry_at <= clock_timestamp())
    and (r.finished_at is null or r.finished_at <= clock_timestamp() - make_interval(secs => p_every_seconds))
  returning coalesce(r.covered_until, '-infinity');
end
$$;
comment on function begin_reconciliation(text, text, integer, integer) is 'Takes the lease to reconcile an environment; no row when it is not due.';
