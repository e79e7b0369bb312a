revoke all on storage_objects from public, anon, authenticated, service_role, reelbase_api, reelbase_worker, reelbase_admin;
grant select (id, bucket, name, user_id, job_id, size_bytes, content_type, created_at, stored_at, state) on storage_objects to authenticated;
grant execute on function get_my_storage_object(text, text) to authenticated;
grant execute on function get_storage_object(text, text) to reelbase_api;
grant execute on function reserve_storage_object(text, text, uuid, uuid), claim_deleted_objects(text, integer, integer), claim_deleted_objects(text, integer, integer, integer),
  forget_storage_object(uuid, text), list_storage_objects(text, text, integer), storage_object_is_known(text, text),
  forget_missing_object(uuid), get_installation(), record_store_marked(), has_stored_objects() to reelbase_worker;
grant execute on function request_storage_check(boolean), read_storage_check() to reelbase_admin;
