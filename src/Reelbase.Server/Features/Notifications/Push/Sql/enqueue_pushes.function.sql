-- A job has ended: one push for each phone of its user, in the same transaction, so that none is forgotten and none is sent of
-- something that did not happen. Nobody gets a push about a job that they deleted. Internal.
create or replace function internal.enqueue_pushes(p_job_id uuid) returns void
language sql security definer set search_path = internal, public, pg_temp as $$
  insert into push_notifications (user_id, job_id, token, environment, kind, event, model_name)
  select j.user_id, j.job_id, t.token, t.environment, t.kind, j.status, j.model_name
  from video_jobs j join push_tokens t on t.user_id = j.user_id
  where j.job_id = p_job_id and j.status in ('completed', 'failed') and j.deleted_at is null
  on conflict on constraint push_notifications_once_key do nothing
$$;
comment on function internal.enqueue_pushes(uuid) is 'Puts a push for each phone of a finished job''s user into the outbox. Internal to the definer functions.';
