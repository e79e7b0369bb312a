-- Takes a check of the ledgers that an admin asked for; false when nobody did, or somebody is at it.
create or replace function claim_ledger_check(p_leased_by text, p_lease_seconds integer) returns boolean
language plpgsql security definer set search_path = internal, public, pg_temp as $$
begin
  update schedules set leased_by = p_leased_by, lease_until = clock_timestamp() + make_interval(secs => p_lease_seconds),
    last_started_at = clock_timestamp()
  where name = 'ledger_check' and requested_at is not null and (lease_until is null or lease_until < clock_timestamp());
  return found;
end
$$;
comment on function claim_ledger_check(text, integer) is
  'Whether there is a check to do.';
