create or replace function claim_apple_authorizations(p_leased_by text, p_lease_seconds integer, p_limit integer)
returns table (id bigint, client_id text, stage text, secret bytea, attempt integer)
language plpgsql security definer set search_path = public, pg_temp as $$
#variable_conflict use_column
begin
  return query
  with due as (
    select a.id from apple_authorizations a
    where a.stage in ('code', 'revoking') and a.run_after <= clock_timestamp()
      and (a.lease_until is null or a.lease_until < clock_timestamp())
    order by a.run_after limit p_limit for no key update skip locked)
  update apple_authorizations a set leased_by = p_leased_by, attempt = a.attempt + 1,
    lease_until = clock_timestamp() + make_interval(secs => p_lease_seconds)
  from due where a.id = due.id returning a.id, a.client_id, a.stage, a.secret, a.attempt;
end
$$;
comment on function claim_apple_authorizations(text, integer, integer) is 'Leases codes to be exchanged and tokens to be revoked to a worker.';
