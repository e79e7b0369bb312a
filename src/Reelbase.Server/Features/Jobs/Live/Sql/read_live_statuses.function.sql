-- What read_live answers of a job to those who watch its status alone, for many users in one statement: each one's own job by its key, when account and session are in order and the
-- account was never merged. asked is the place of the question, from 1. No row: read_live says what it is. Record and versions are of one moment, because a stable function sees its
-- caller's snapshot. Lane and key say where a job waits that never was handed out, so that its later places are found in memory.
create or replace function read_live_statuses(p_users uuid[], p_sessions uuid[], p_jobs uuid[])
returns table (asked integer, version bigint, user_version bigint, record json, provider text, queue_lane text, queue_key bigint)
language plpgsql stable security definer set search_path = internal, public, pg_temp as $$
begin
  return query
  select f.asked, (select j.xmin::text::bigint from video_jobs j where j.job_id = f.job_id), (select u.xmin::text::bigint from users u where u.id = p_users[f.asked]),
    json_build_object('job_id', f.job_id, 'status', f.status, 'prompt', f.prompt, 'model_name', f.model_name, 'credits_used', f.credits_used, 'video_url', f.video_url,
      'thumbnail_url', f.thumbnail_url, 'error_code', f.error_code, 'queue_position', f.queue_position, 'created_at', to_json_time(f.created_at),
      'completed_at', to_json_time(f.completed_at), 'language', f.language, 'video_duration_seconds', f.video_duration_seconds, 'video_width', f.video_width,
      'video_height', f.video_height, 'video_fps', f.video_fps, 'video_has_audio', f.video_has_audio,
      -- As estimate_job_seconds says it of a place.
      'estimated_seconds', case when f.queue_position is null then f.estimated_seconds
        else ceil(f.usual_seconds * (1 + (f.queue_position + 1) / greatest(f.places, 1)))::integer end),
    f.provider, f.queue_lane, f.queue_key
  from find_job_status(p_users, p_sessions, p_jobs, '{}') f;
end
$$;
comment on function read_live_statuses(uuid[], uuid[], uuid[]) is 'The job of each watcher of a status alone in the usual case, with versions; for the live hub. No row where read_live has to say.';
