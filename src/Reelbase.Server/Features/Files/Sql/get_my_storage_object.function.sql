-- compatibility: the previous release's nodes call this; goes in the next release
create or replace function get_my_storage_object(p_bucket text, p_name text)
returns table (id uuid, size_bytes bigint, content_type text, stored_at timestamptz)
language plpgsql stable as $$
begin
  perform require_caller();
  return query select o.id, o.size_bytes, o.content_type, o.stored_at from storage_objects o
  where o.bucket = p_bucket and o.name = p_name;
end
$$;
comment on function get_my_storage_object(text, text) is 'A stored file of the caller; row security hides all others. Raises ERR_4005, ERR_4006.';
