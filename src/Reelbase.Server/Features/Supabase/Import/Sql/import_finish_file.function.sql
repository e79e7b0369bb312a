-- A file is in the store: its row, its job's or its user's name for it, and the progress, together. One whose job or user has gone meanwhile is removed again.
create or replace function internal.import_finish_file(p_bucket text, p_name text, p_role text, p_owner uuid, p_store_bucket text, p_store_name text, p_bytes bigint,
  p_content_type text, p_sha256 bytea) returns void
language plpgsql set search_path = internal, public, pg_temp as $$
declare
  v_object_id uuid;
  v_file import_files;
begin
  select * into v_file from import_files where bucket = p_bucket and name = p_name and role = p_role and coalesce(job_id, user_id) = p_owner for update;
  update storage_objects set state = 'stored', size_bytes = p_bytes, content_type = p_content_type, stored_at = clock_timestamp()
  where bucket = p_store_bucket and name = p_store_name and state in ('pending', 'stored') returning id into v_object_id;
  if v_file.bucket is null then
    return;
  elsif v_object_id is null then
    -- A pending file that cannot be finished would be brought again for ever; the next start tries it once more.
    update import_files set state = 'refused', reason = 'a file of its name is being removed here'
    where bucket = p_bucket and name = p_name and role = p_role and coalesce(job_id, user_id) = p_owner;
    return;
  end if;
  if p_role = 'video' then
    update video_jobs set video_url = p_store_name where job_id = v_file.job_id and deleted_at is null;
  elsif p_role = 'thumbnail' then
    update video_jobs set thumbnail_url = p_store_name where job_id = v_file.job_id and deleted_at is null;
  else
    insert into uploads (user_id, bucket, folder, path, object_id)
    select coalesce(u.merged_into, u.id), p_bucket, u.id, substr(p_name, 38), v_object_id
    from users u where u.id = v_file.user_id and u.deleted_at is null on conflict do nothing;
  end if;
  if not found then
    update storage_objects set state = 'deleting', run_after = clock_timestamp() where id = v_object_id;
  end if;
  update import_files set state = 'stored', reason = null, sha256 = p_sha256, size_bytes = p_bytes
  where bucket = p_bucket and name = p_name and role = p_role and coalesce(job_id, user_id) = p_owner;
end
$$;
comment on function internal.import_finish_file(text, text, text, uuid, text, text, bigint, text, bytea) is 'Makes a brought file what its job or user has. For the import, which runs as the owner.';
