-- One job of the caller with how long it will probably take; get_video_status, whose rows the previous release reads by their number of columns, stays beneath it.
create or replace function get_job_status(p_job_id uuid) returns table (
  job_id uuid, status text, prompt text, model_name text, credits_used integer, video_url text, thumbnail_url text,
  error_code text, queue_position integer, created_at timestamptz, completed_at timestamptz,
  language text, video_duration_seconds numeric, video_width integer, video_height integer, video_fps numeric, video_has_audio boolean, estimated_seconds integer)
language sql stable as $$
  select s.*, case when s.completed_at is null then job_seconds(s.job_id, s.queue_position) end from get_video_status(p_job_id) s
$$;
comment on function get_job_status(uuid) is 'One job of the caller, with estimated_seconds. Raises ERR_4005, ERR_4006, ERR_4007.';
