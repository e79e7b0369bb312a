create or replace function request_reconciliation() returns void
language sql security definer set search_path = internal, public, pg_temp as $$
  update reconciliations set finished_at = null, retry_at = null where lease_until is null or lease_until < clock_timestamp()
$$;
comment on function request_reconciliation() is 'Makes the reconciliation with the App Store due now; a worker takes it at its next poll.';
