-- Writes down a picture before it is in the store, so that no file is ever without a row. One at a time for each user, so that a quota is not passed by
-- uploads at once, and one at a time for the installation's bound: the row of the sum is locked last, until the commit.
create or replace function reserve_upload(
  p_object_id uuid, p_store_name text, p_bucket text, p_folder uuid, p_path text, p_upsert boolean, p_bytes bigint, p_content_type text, p_limits jsonb)
returns void language plpgsql security definer set search_path = internal, public, pg_temp as $$
declare
  v_user users := lock_account(require_caller());
  v_max_bytes bigint := (p_limits ->> 'max_installation_bytes')::bigint;
  v_all_bytes bigint;
begin
  if v_user.deleted_at is not null then
    perform raise_error('ERR_4005', '{"reason":"no_such_user"}');
  end if;
  perform require_own_folder(p_folder);
  perform 1 from installation for no key update;
  perform require_upload_fits(v_user.id, p_bucket, p_folder, p_path, p_upsert, p_bytes, p_limits);
  insert into storage_objects (id, bucket, name, user_id, size_bytes, content_type)
  values (p_object_id, 'pictures', p_store_name, v_user.id, p_bytes, p_content_type);
  select i.picture_bytes into v_all_bytes from installation i;
  if v_all_bytes * 10 > v_max_bytes * 9 then
    perform report_storage_shortage('uploads', null, v_all_bytes / 1048576, v_max_bytes / 1048576);
  end if;
end
$$;
comment on function reserve_upload(uuid, text, text, uuid, text, boolean, bigint, text, jsonb) is
  'Registers a picture that is about to be stored. Raises ERR_4005, ERR_4006, ERR_4012, ERR_6002.';
