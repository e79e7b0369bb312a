revoke all on storage_objects from public, anon, authenticated, service_role, reelbase_api, reelbase_worker, reelbase_admin;
grant select (id, bucket, name, user_id, job_id, size_bytes, content_type, created_at, stored_at, state) on storage_objects to authenticated;
revoke all on uploads from public, anon, authenticated, service_role, reelbase_api, reelbase_worker, reelbase_admin;
grant execute on function get_my_storage_object(text, text), admit_upload(text, uuid, text, boolean, bigint, inet, jsonb),
  reserve_upload(uuid, text, text, uuid, text, boolean, bigint, text, jsonb), finish_upload(uuid, text, uuid, text, boolean, text),
  require_own_folder(uuid), find_my_file(text, text, uuid, text), list_my_files(text, text, text, integer, integer, text, boolean), remove_my_files(text, jsonb),
  move_my_file(text, uuid, text, text, uuid, text) to authenticated;
grant execute on function get_storage_object(text, text), find_file(text, text, uuid, text, boolean), find_job_picture(uuid), abandon_upload(uuid),
  report_storage_shortage(text, text, bigint, bigint) to reelbase_api;
grant execute on function find_job_picture(uuid) to reelbase_worker;
grant execute on function reserve_storage_object(text, text, uuid, uuid), claim_deleted_objects(text, integer, integer), claim_deleted_objects(text, integer, integer, integer),
  forget_storage_object(uuid, text), list_storage_objects(text, text, integer), list_storage_objects(text[], text, text, integer), storage_object_is_known(text, text),
  forget_missing_object(uuid), get_installation(), record_store_marked(), has_stored_objects(), claim_store(uuid, text),
  report_storage_shortage(text, text, bigint, bigint), uploads_are_full(bigint, bigint) to reelbase_worker;
revoke all on storage_use, storage_use_changes, storage_alert from public, anon, authenticated, service_role, reelbase_api, reelbase_worker, reelbase_admin;
grant execute on function fold_storage_use(integer), watch_storage_use(bigint, integer) to reelbase_worker;
grant execute on function request_storage_check(boolean), read_storage_check(), get_installation(), accept_store(uuid) to reelbase_admin;
