-- A page of all files that there should be in some buckets, in byte order, as stores list theirs. Begins after the given bucket and name.
create or replace function list_storage_objects(p_buckets text[], p_after_bucket text, p_after_name text, p_limit integer)
returns table (id uuid, bucket text, name text, state text, stored_at timestamptz)
language sql stable security definer set search_path = internal, public, pg_temp as $$
  select o.id, o.bucket, o.name, o.state, o.stored_at from storage_objects o
  where (o.bucket collate "C", o.name collate "C") > (p_after_bucket, p_after_name) and o.bucket = any (p_buckets)
  order by o.bucket collate "C", o.name collate "C" limit least(p_limit, 1000)
$$;
comment on function list_storage_objects(text[], text, text, integer) is 'Rows of files in the byte order of bucket and name, for comparing with a store.';

-- compatibility: the previous release's nodes call this; goes in the next release
-- They know no pictures of users, and would take every one of them for lost.
create or replace function list_storage_objects(p_after_bucket text, p_after_name text, p_limit integer)
returns table (id uuid, bucket text, name text, state text, stored_at timestamptz)
language sql stable security definer set search_path = internal, public, pg_temp as $$
  select * from list_storage_objects(array['thumbnails', 'videos'], p_after_bucket, p_after_name, p_limit)
$$;
comment on function list_storage_objects(text, text, integer) is 'Rows of files in the byte order of bucket and name, for comparing with a store.';
