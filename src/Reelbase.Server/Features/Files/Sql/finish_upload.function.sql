-- The picture is in the store: it gets its name, and what had the name before goes. Nothing happens for one that is not announced any more.
create or replace function finish_upload(p_object_id uuid, p_bucket text, p_folder uuid, p_path text, p_upsert boolean, p_cached_for text)
returns uuid language plpgsql security definer set search_path = internal, public, pg_temp as $$
declare
  v_user users := lock_account(require_caller());
  v_upload uploads;
begin
  if v_user.deleted_at is not null then
    perform raise_error('ERR_4005', '{"reason":"no_such_user"}');
  end if;
  perform require_own_folder(p_folder);
  update storage_objects set state = 'stored', stored_at = clock_timestamp() where id = p_object_id and user_id = v_user.id and state = 'pending';
  if not found then
    perform raise_error('ERR_4012', '{"reason":"given_up"}');
  end if;
  select * into v_upload from uploads where bucket = p_bucket and folder = p_folder and path = p_path for update;
  if v_upload.id is null then
    insert into uploads (user_id, bucket, folder, path, object_id, cached_for)
    values (v_user.id, p_bucket, p_folder, p_path, p_object_id, p_cached_for)
    returning * into v_upload;
  elsif not p_upsert then
    perform raise_error('ERR_4012', '{"reason":"exists"}');
  else
    update uploads set object_id = p_object_id, cached_for = p_cached_for, updated_at = clock_timestamp() where id = v_upload.id;
    update storage_objects set state = 'deleting', run_after = clock_timestamp() where id = v_upload.object_id;
  end if;
  return v_upload.id;
end
$$;
comment on function finish_upload(uuid, text, uuid, text, boolean, text) is
  'Names a picture that is stored and removes what had the name; answers the id of the upload. Raises ERR_4005, ERR_4006, ERR_4012.';
