-- For readers who hold a signed address, and (p_public) for anybody: only pictures that users have put into the public bucket, never what a job has made.
create or replace function find_file(p_bucket text, p_name text, p_folder uuid, p_path text, p_public boolean)
returns table (id uuid, store_bucket text, store_name text, size_bytes bigint, content_type text, cached_for text, created_at timestamptz,
  updated_at timestamptz, object_id uuid)
language plpgsql stable security definer set search_path = internal, public, pg_temp as $$
#variable_conflict use_column
begin
  return query
  select u.id, o.bucket, o.name, o.size_bytes, o.content_type, u.cached_for, u.created_at, u.updated_at, o.id
  from uploads u join storage_objects o on o.id = u.object_id
  where u.bucket = p_bucket and u.folder = p_folder and u.path = p_path and o.state = 'stored' and (not p_public or u.bucket = 'thumbnails')
  union all
  select o.id, o.bucket, o.name, o.size_bytes, o.content_type, null, o.created_at, o.stored_at, o.id
  from storage_objects o where not p_public and o.bucket = p_bucket and o.name = p_name and o.state = 'stored'
  limit 1;
end
$$;
comment on function find_file(text, text, uuid, text, boolean) is 'A stored file by its name, whoever asks; p_public: only where everybody may read.';
