-- Asked for by functions only, which have checked who asks; earlier releases let everybody ask for any job's.
revoke execute on function internal.queue_position(uuid) from authenticated;
grant execute on function job_seconds(uuid, integer), get_job_status(uuid), get_video_status(uuid),
  get_video_jobs(integer, integer, uuid, text, text), delete_video_job(uuid) to authenticated;
-- What admins do: each of these checks first whether the caller is one.
grant execute on function admin_cancel_job(jsonb),
  admin_get_job(jsonb),
  admin_list_jobs(jsonb),
  admin_retry_job(uuid, jsonb, integer) to authenticated;
grant execute on function find_job_owner(uuid) to reelbase_api;
grant execute on function find_job_status(uuid[], uuid[], uuid[], text[]) to reelbase_api;
