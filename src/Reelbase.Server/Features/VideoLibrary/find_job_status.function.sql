-- The usual case of get_job_status in one statement: the caller's own job, when account and session are in order and the account was never merged. No row: get_job_status
-- says what it is, or why not. p_kept: providers of whose queues the node has positions in memory; the place in such a queue is answered as lane and key, and
-- usual_seconds and places are what estimate_job_seconds makes of a position.
create or replace function find_job_status(p_user_id uuid, p_session_id uuid, p_job_id uuid, p_kept text[]) returns table (
  job_id uuid, status text, prompt text, model_name text, credits_used integer, video_url text, thumbnail_url text,
  error_code text, queue_position integer, created_at timestamptz, completed_at timestamptz,
  language text, video_duration_seconds numeric, video_width integer, video_height integer, video_fps numeric, video_has_audio boolean, estimated_seconds integer,
  provider text, queue_lane text, queue_key bigint, usual_seconds numeric, places integer)
language plpgsql stable security definer set search_path = public, pg_temp as $$
#variable_conflict use_column
begin
  return query
  select j.job_id, j.status, j.prompt, j.model_name, j.credits_used, j.video_url::text, j.thumbnail_url::text, j.error_code,
    case when j.stage = 'queued' and not (j.leased_by is null and j.queue_key > 0 and j.provider = any (p_kept)) then queue_position(j.job_id) end,
    j.created_at, j.completed_at,
    case when j.error_code is not null then (select u.language from users u where u.id = p_user_id and u.language_chosen_at is not null) end,
    j.video_duration_seconds, j.video_width, j.video_height, j.video_fps, j.video_has_audio,
    case when j.completed_at is null and not (j.stage = 'queued' and j.leased_by is null and j.queue_key > 0 and j.provider = any (p_kept)) then estimate_job_seconds(j, null) end,
    case when j.stage = 'queued' then j.provider end, case when j.stage = 'queued' and j.leased_by is null then j.queue_lane end,
    case when j.stage = 'queued' and j.leased_by is null then j.queue_key end,
    case when j.stage = 'queued' then coalesce((select m.usual_seconds from models m where m.id = j.model_id), 60)::numeric end,
    case when j.stage = 'queued' then coalesce((select s.places from provider_states s where s.provider = j.provider), 1) end
  from video_jobs j
  where j.job_id = p_job_id and j.user_id = p_user_id and j.deleted_at is null
    and exists (select from users u where u.id = p_user_id and u.merged_into is null and u.deleted_at is null and u.banned_at is null)
    and exists (select from sessions s where s.id = p_session_id and s.user_id = p_user_id and s.revoked_at is null);
end
$$;
comment on function find_job_status(uuid, uuid, uuid, text[]) is 'The caller''s own job in the usual case, and what its position follows from; no row where get_job_status has to say.';
