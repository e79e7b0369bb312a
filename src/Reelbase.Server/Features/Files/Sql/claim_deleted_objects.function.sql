-- Files that must go: those marked, and those that were announced but not finished within an hour (their writer died).
create or replace function claim_deleted_objects(p_leased_by text, p_lease_seconds integer, p_limit integer, p_max_attempts integer)
returns table (id uuid, bucket text, name text)
language plpgsql security definer set search_path = internal, public, pg_temp as $$
#variable_conflict use_column
declare
  v_keys text[];
begin
  v_keys := array(
    select o.id::text from storage_objects o
    where ((o.state = 'deleting') or (o.state = 'pending' and o.created_at < clock_timestamp() - interval '1 hour')) and o.dead_at is null and o.run_after <= clock_timestamp()
      and (o.lease_until is null or o.lease_until < clock_timestamp())
    order by o.run_after limit p_limit for no key update skip locked);
  perform end_spent_work('storage_objects', v_keys, p_max_attempts);
  return query
  update storage_objects o set state = 'deleting', leased_by = p_leased_by, attempt = o.attempt + 1, run_after = clock_timestamp() + work_pause(o.attempt + 1),
    lease_until = clock_timestamp() + make_interval(secs => p_lease_seconds)
  where o.id = any (v_keys::uuid[]) and o.dead_at is null
  returning o.id, o.bucket, o.name;
end
$$;
comment on function claim_deleted_objects(text, integer, integer, integer) is 'Leases files that are to be removed to a worker, and gives up those that were tried too often.';

-- compatibility: the previous release's nodes call this; goes in the next release
create or replace function claim_deleted_objects(p_leased_by text, p_lease_seconds integer, p_limit integer)
returns table (id uuid, bucket text, name text)
language sql security definer set search_path = internal, public, pg_temp as $$
  select * from claim_deleted_objects(p_leased_by, p_lease_seconds, p_limit, 50)
$$;
comment on function claim_deleted_objects(text, integer, integer) is 'Leases files that are to be removed to a worker, and gives up those that were tried too often.';
