-- One job of the caller. Nobody else's job, and no deleted one, can be distinguished from one that never was: ERR_4007.
drop function if exists get_video_status(uuid);
create function get_video_status(p_job_id uuid) returns table (
  job_id uuid, status text, prompt text, model_name text, credits_used integer, video_url text, thumbnail_url text,
  error_code text, queue_position integer, created_at timestamptz, completed_at timestamptz,
  language text, video_duration_seconds numeric, video_width integer, video_height integer, video_fps numeric, video_has_audio boolean)
language plpgsql stable security definer set search_path = internal, public, pg_temp as $$
#variable_conflict use_column
declare
  -- The policy of video_jobs would read the account once more: the condition is the same.
  v_me uuid := require_caller();
begin
  return query
  select j.job_id, j.status, j.prompt, j.model_name, j.credits_used, j.video_url::text, j.thumbnail_url::text, j.error_code,
    case when j.status = 'pending' then queue_position(j.job_id) end, j.created_at, j.completed_at,
    case when j.error_code is not null then
      (select u.language from users u where u.id = j.user_id and u.language_chosen_at is not null) end,
    j.video_duration_seconds, j.video_width, j.video_height, j.video_fps, j.video_has_audio
  from video_jobs j where j.job_id = p_job_id and j.user_id = v_me and j.deleted_at is null;
  if not found then
    perform raise_error('ERR_4007', '{"what":"job"}');
  end if;
end
$$;
comment on function get_video_status(uuid) is 'One job of the caller. Raises ERR_4005, ERR_4006, ERR_4007.';
