-- Writes a file down before it is in the store, so that no file is ever without a row; the same again is the same row.
create or replace function internal.import_reserve_file(p_bucket text, p_name text, p_user_id uuid, p_job_id uuid, p_object_id uuid) returns void
language plpgsql set search_path = internal, public, pg_temp as $$
begin
  if p_job_id is not null then
    perform reserve_storage_object(p_bucket, p_name, p_user_id, p_job_id);
  else
    insert into storage_objects (id, bucket, name, user_id) values (p_object_id, p_bucket, p_name, p_user_id)
    on conflict on constraint storage_objects_bucket_name_key do nothing;
  end if;
end
$$;
comment on function internal.import_reserve_file(text, text, uuid, uuid, uuid) is 'Registers a file that is about to be brought. For the import, which runs as the owner.';
