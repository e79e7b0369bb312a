-- Removes pictures of the caller by their names, [{"folder", "path"}]; what is not there, or somebody else's, is passed over. What a job has made goes with the job.
create or replace function remove_my_files(p_bucket text, p_names jsonb)
returns table (name text, id uuid, size_bytes bigint, content_type text, cached_for text, etag text, created_at timestamptz, updated_at timestamptz)
language plpgsql security definer set search_path = internal, public, pg_temp as $$
#variable_conflict use_column
declare
  v_user users := lock_account(require_caller());
begin
  return query
  with gone as (
    delete from uploads u using jsonb_to_recordset(p_names) n (folder uuid, path text)
    where u.user_id = v_user.id and u.bucket = p_bucket and u.folder = n.folder and u.path = n.path
    returning u.*),
  marked as (
    update storage_objects o set state = 'deleting', run_after = clock_timestamp() from gone g where o.id = g.object_id returning o.*)
  select g.folder::text || '/' || g.path, g.id, m.size_bytes, m.content_type, g.cached_for, replace(m.id::text, '-', ''), g.created_at, g.updated_at
  from gone g join marked m on m.id = g.object_id order by 1;
end
$$;
comment on function remove_my_files(text, jsonb) is 'Removes pictures of the caller and answers them. Raises ERR_4005, ERR_4006.';
