-- compatibility: the previous release's nodes call this; goes in the next release
create or replace function get_storage_object(p_bucket text, p_name text)
returns table (id uuid, size_bytes bigint, content_type text, stored_at timestamptz)
language sql stable security definer set search_path = internal, public, pg_temp as $$
  select id, size_bytes, content_type, stored_at from storage_objects
  where bucket = p_bucket and name = p_name and state = 'stored'
$$;
comment on function get_storage_object(text, text) is
  'A stored file, for readers who hold a signed address; nothing once its deletion began.';
