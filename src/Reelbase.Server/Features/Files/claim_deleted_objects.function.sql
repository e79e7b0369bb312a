-- Files that must go: those marked, and those that were announced but not finished within an hour (their writer died).
create or replace function claim_deleted_objects(p_leased_by text, p_lease_seconds integer, p_limit integer)
returns table (id uuid, bucket text, name text)
language plpgsql security definer set search_path = public, pg_temp as $$
#variable_conflict use_column
begin
  return query
  with due as (
    select o.id from storage_objects o
    where ((o.state = 'deleting' and o.run_after <= clock_timestamp())
        or (o.state = 'pending' and o.created_at < clock_timestamp() - interval '1 hour'))
      and (o.lease_until is null or o.lease_until < clock_timestamp())
    order by o.run_after limit p_limit for no key update skip locked)
  update storage_objects o set state = 'deleting', leased_by = p_leased_by, attempt = o.attempt + 1,
    lease_until = clock_timestamp() + make_interval(secs => p_lease_seconds)
  from due where o.id = due.id returning o.id, o.bucket, o.name;
end
$$;
comment on function claim_deleted_objects(text, integer, integer) is 'Leases files that are to be removed to a worker.';
