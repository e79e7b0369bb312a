-- The usual case of get_job_status, for as many askers as ask at one moment: each one's own job, when account and session are in order and the account was never merged. asked is
-- the place of the question, from 1. No row: get_job_status says what it is, or why not. p_kept: providers of whose queues the node has positions in memory; the place in such a
-- queue is answered as lane and key, and usual_seconds and places are what estimate_job_seconds makes of a position.
drop function if exists find_job_status(uuid, uuid, uuid, text[]);
create or replace function find_job_status(p_user_ids uuid[], p_session_ids uuid[], p_job_ids uuid[], p_kept text[]) returns table (
  asked integer, job_id uuid, status text, prompt text, model_name text, credits_used integer, video_url text, thumbnail_url text,
  error_code text, queue_position integer, created_at timestamptz, completed_at timestamptz,
  language text, video_duration_seconds numeric, video_width integer, video_height integer, video_fps numeric, video_has_audio boolean, estimated_seconds integer,
  provider text, queue_lane text, queue_key bigint, usual_seconds numeric, places integer)
language plpgsql stable security definer set search_path = internal, public, pg_temp as $$
#variable_conflict use_column
declare
  v_user uuid;
  v_session uuid;
  v_job uuid;
begin
  -- One by one, so that each is found by its key: of a join with arrays PostgreSQL would guess how many there are, and might read a table whole.
  for v_asked in 1 .. coalesce(cardinality(p_job_ids), 0) loop
    v_user := p_user_ids[v_asked];
    v_session := p_session_ids[v_asked];
    v_job := p_job_ids[v_asked];
    -- What has ended is most of what is asked for, and needs nothing of queues, whose tables PostgreSQL would open before it knows that.
    return query
    select v_asked, j.job_id, j.status, j.prompt, j.model_name, j.credits_used, j.video_url::text, j.thumbnail_url::text, j.error_code, null::integer, j.created_at, j.completed_at,
      case when j.error_code is not null and u.language_chosen_at is not null then u.language end,
      j.video_duration_seconds, j.video_width, j.video_height, j.video_fps, j.video_has_audio, null::integer, null::text, null::text, null::bigint, null::numeric, null::integer
    from video_jobs j, users u, sessions s
    where j.job_id = v_job and j.user_id = v_user and j.deleted_at is null and j.stage = 'finished' and j.completed_at is not null
      and u.id = v_user and u.merged_into is null and u.deleted_at is null and u.banned_at is null
      and s.id = v_session and s.user_id = v_user and s.revoked_at is null;
    continue when found;
    return query
    select v_asked, j.job_id, j.status, j.prompt, j.model_name, j.credits_used, j.video_url::text, j.thumbnail_url::text, j.error_code,
      case when j.stage = 'queued' and not (j.leased_by is null and j.queue_key > 0 and j.provider = any (p_kept)) then queue_position(j.job_id) end,
      j.created_at, j.completed_at,
      case when j.error_code is not null and u.language_chosen_at is not null then u.language end,
      j.video_duration_seconds, j.video_width, j.video_height, j.video_fps, j.video_has_audio,
      case when j.completed_at is null and not (j.stage = 'queued' and j.leased_by is null and j.queue_key > 0 and j.provider = any (p_kept)) then estimate_job_seconds(j, null) end,
      case when j.stage = 'queued' then j.provider end, case when j.stage = 'queued' and j.leased_by is null then j.queue_lane end,
      case when j.stage = 'queued' and j.leased_by is null then j.queue_key end,
      case when j.stage = 'queued' then coalesce((select m.usual_seconds from models m where m.id = j.model_id), 60)::numeric end,
      case when j.stage = 'queued' then coalesce((select p.places from provider_states p where p.provider = j.provider), 1) end
    from video_jobs j, users u, sessions s
    where j.job_id = v_job and j.user_id = v_user and j.deleted_at is null
      and u.id = v_user and u.merged_into is null and u.deleted_at is null and u.banned_at is null
      and s.id = v_session and s.user_id = v_user and s.revoked_at is null;
  end loop;
end
$$;
comment on function find_job_status(uuid[], uuid[], uuid[], text[]) is 'The job of each asker in the usual case, and what its position follows from; no row where get_job_status has to say.';
