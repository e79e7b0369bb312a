-- The sums and what has not been folded yet, in one snapshot: always what the files' rows say, but for what was changed before there were sums.
create or replace function internal.read_storage_use() returns table (bucket text, bytes bigint, objects bigint)
language sql stable security definer set search_path = internal, public, pg_temp as $$
  select a.bucket, sum(a.bytes)::bigint, sum(a.objects)::bigint
  from (select u.bucket, u.bytes, u.objects from storage_use u union all select c.bucket, c.bytes, c.objects from storage_use_changes c) a
  group by a.bucket
$$;
comment on function internal.read_storage_use() is 'Bytes and files by kind.';
