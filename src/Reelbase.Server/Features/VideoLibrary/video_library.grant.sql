grant execute on function queue_position(uuid), get_video_status(uuid),
  get_video_jobs(integer, integer, uuid, text, text), delete_video_job(uuid) to authenticated;
