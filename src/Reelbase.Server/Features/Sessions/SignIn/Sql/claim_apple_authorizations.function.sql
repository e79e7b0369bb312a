create or replace function claim_apple_authorizations(p_leased_by text, p_lease_seconds integer, p_limit integer, p_max_attempts integer)
returns table (id bigint, client_id text, stage text, secret bytea, attempt integer)
language plpgsql security definer set search_path = internal, public, pg_temp as $$
#variable_conflict use_column
declare
  v_keys text[];
begin
  v_keys := array(
    select a.id::text from apple_authorizations a
    where a.stage in ('code', 'revoking') and a.dead_at is null and a.run_after <= clock_timestamp()
      and (a.lease_until is null or a.lease_until < clock_timestamp())
    order by a.run_after limit p_limit for no key update skip locked);
  perform end_spent_work('apple_authorizations', v_keys, p_max_attempts);
  return query
  update apple_authorizations a set leased_by = p_leased_by, attempt = a.attempt + 1, run_after = clock_timestamp() + work_pause(a.attempt + 1),
    lease_until = clock_timestamp() + make_interval(secs => p_lease_seconds)
  where a.id = any (v_keys::bigint[]) and a.dead_at is null
  returning a.id, a.client_id, a.stage, a.secret, a.attempt;
end
$$;
comment on function claim_apple_authorizations(text, integer, integer, integer) is 'Leases codes to be exchanged and tokens to be revoked to a worker, and gives up those that were tried too often.';

-- compatibility: the previous release's nodes call this; goes in the next release
create or replace function claim_apple_authorizations(p_leased_by text, p_lease_seconds integer, p_limit integer)
returns table (id bigint, client_id text, stage text, secret bytea, attempt integer)
language sql security definer set search_path = internal, public, pg_temp as $$
  select * from claim_apple_authorizations(p_leased_by, p_lease_seconds, p_limit, 100)
$$;
comment on function claim_apple_authorizations(text, integer, integer) is 'Leases codes to be exchanged and tokens to be revoked to a worker, and gives up those that were tried too often.';
