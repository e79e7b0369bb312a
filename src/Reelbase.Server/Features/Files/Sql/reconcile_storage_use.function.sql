-- Compares the sums with the rows of files and appends what is missing. One statement sees both in one snapshot, and every change of a file
-- appends in its own transaction, so nothing that happens meanwhile is counted twice or left out.
create or replace function internal.reconcile_storage_use(p_dry_run boolean) returns bigint
language sql security definer set search_path = internal, public, pg_temp as $$
  with counted as (select u.bucket, u.bytes, u.objects from read_storage_use() u),
  actual as (select o.bucket, sum(o.size_bytes)::bigint as bytes, count(*) as objects from storage_objects o where o.size_bytes is not null group by o.bucket),
  missing as (
    select bucket, coalesce(a.bytes, 0) - coalesce(c.bytes, 0) as bytes, coalesce(a.objects, 0) - coalesce(c.objects, 0) as objects
    from counted c full join actual a using (bucket)),
  wrong as (select * from missing m where m.bytes <> 0 or m.objects <> 0),
  mended as (insert into storage_use_changes (bucket, bytes, objects) select w.bucket, w.bytes, w.objects from wrong w where not p_dry_run)
  select count(*) from wrong
$$;
comment on function internal.reconcile_storage_use(boolean) is 'Brings the use of storage to what the rows of files say; answers how many kinds were wrong.';
