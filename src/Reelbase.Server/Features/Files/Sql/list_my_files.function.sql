-- What lies below a folder of the caller, as Supabase lists it: folders first (id null), names relative to p_prefix, which ends in a slash or is empty.
create or replace function list_my_files(
  p_bucket text, p_prefix text, p_search text, p_limit integer, p_offset integer, p_sort text, p_descending boolean)
returns table (name text, id uuid, size_bytes bigint, content_type text, cached_for text, etag text, created_at timestamptz, updated_at timestamptz)
language plpgsql stable security definer set search_path = internal, public, pg_temp as $$
#variable_conflict use_column
declare
  v_ids uuid[];
begin
  perform require_caller();
  v_ids := my_user_ids();
  return query
  with files as (
    select u.folder::text || '/' || u.path as full_name, u.id, o.size_bytes, o.content_type, u.cached_for, o.id as object_id, u.created_at, u.updated_at
    from uploads u join storage_objects o on o.id = u.object_id
    where u.bucket = p_bucket and u.user_id = any (v_ids) and o.state = 'stored'
    union all
    select o.name, o.id, o.size_bytes, o.content_type, 'max-age=86400', o.id, o.created_at, o.stored_at from storage_objects o
    where o.bucket = p_bucket and o.bucket in ('thumbnails', 'videos') and o.user_id = any (v_ids) and o.state = 'stored'),
  below as (
    select substr(f.full_name, char_length(p_prefix) + 1) as rest, f.* from files f where starts_with(f.full_name, p_prefix)),
  entries as (
    select distinct on (split_part(b.rest, '/', 1), strpos(b.rest, '/') > 0) split_part(b.rest, '/', 1) as entry, strpos(b.rest, '/') > 0 as is_folder, b.*
    from below b where starts_with(lower(b.rest), lower(p_search)))
  select e.entry, case when e.is_folder then null else e.id end, case when e.is_folder then null else e.size_bytes end,
    case when e.is_folder then null else e.content_type end, case when e.is_folder then null else e.cached_for end,
    case when e.is_folder then null else replace(e.object_id::text, '-', '') end,
    case when e.is_folder then null else e.created_at end, case when e.is_folder then null else e.updated_at end
  from entries e
  order by not e.is_folder,
    case when p_sort = 'created_at' and not p_descending and not e.is_folder then e.created_at end,
    case when p_sort = 'created_at' and p_descending and not e.is_folder then e.created_at end desc,
    case when p_sort = 'updated_at' and not p_descending and not e.is_folder then e.updated_at end,
    case when p_sort = 'updated_at' and p_descending and not e.is_folder then e.updated_at end desc,
    case when not p_descending then e.entry collate "C" end, e.entry collate "C" desc
  limit p_limit offset p_offset;
end
$$;
comment on function list_my_files(text, text, text, integer, integer, text, boolean) is 'Files and folders of the caller below a prefix. Raises ERR_4005, ERR_4006.';
