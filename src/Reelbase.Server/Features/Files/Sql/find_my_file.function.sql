-- A file by the name that its user knows it by: a picture of theirs, or what a job of theirs has made. p_folder and p_path are p_name taken apart; null when it
-- does not begin with an id.
create or replace function find_my_file(p_bucket text, p_name text, p_folder uuid, p_path text)
returns table (id uuid, store_bucket text, store_name text, size_bytes bigint, content_type text, cached_for text, created_at timestamptz,
  updated_at timestamptz, object_id uuid)
language plpgsql stable security definer set search_path = internal, public, pg_temp as $$
declare
  v_ids uuid[];
begin
  perform require_caller();
  v_ids := my_user_ids();
  return query select f.* from find_file(p_bucket, p_name, p_folder, p_path, false) f
  join storage_objects o on o.id = f.object_id where o.user_id = any (v_ids);
end
$$;
comment on function find_my_file(text, text, uuid, text) is 'A file of the caller by its name. Raises ERR_4005, ERR_4006.';
