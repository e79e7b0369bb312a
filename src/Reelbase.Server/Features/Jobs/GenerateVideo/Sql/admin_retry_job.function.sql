-- Support retries a failed video at our cost: a new job of the same user with the same request, for which nothing is charged. So
-- nothing comes back whatever becomes of it, and the balance is what it was. One retry of a job is in flight at a time, and a retry of its retry is
-- a retry of the same job.
create or replace function admin_retry_job(p_key uuid, p_request jsonb, p_queue_deadline_seconds integer) returns jsonb
language plpgsql security definer set search_path = internal, public, pg_temp as $$
declare
  v_admin uuid := require_admin();
  v_id uuid := read_admin_uuid(p_request, 'job_id', 'job');
  v_hash bytea := hash_request('admin-retry-job', convert_to(p_request::text, 'UTF8'));
  v_user users;
  v_job video_jobs;
  v_model models;
  v_new uuid;
  v_running uuid;
  v_answer jsonb;
begin
  v_answer := (find_replay(v_admin, p_key, v_hash)).response_data;
  if v_answer is not null then
    return v_answer;
  end if;
  v_user := lock_account((select j.user_id from video_jobs j where j.job_id = v_id));
  select * into v_job from video_jobs where job_id = v_id for no key update;
  if v_job.job_id is null or v_user.id is null or v_user.deleted_at is not null then
    perform raise_error('ERR_4007', '{"what":"job"}');
  elsif v_job.status <> 'failed' or v_job.deleted_at is not null or v_job.prompt = '' then
    perform raise_error('ERR_4012', '{"reason":"cannot_be_retried"}');
  end if;
  -- The user's row is locked, so two who ask at once are one after another here.
  v_running := find_running_retry(v_job.job_id);
  if v_running is not null then
    perform raise_error('ERR_4012', jsonb_build_object('reason', 'retry_in_flight', 'job_id', v_running));
  end if;
  select * into v_model from models where id = v_job.model_id;
  perform require_model_offered(v_model, v_job.model_id::text);
  v_new := insert_video_job(v_user.id, v_model.id, v_model.name, v_model.provider, v_job.theme_id, v_job.prompt, v_job.settings, v_job.image_url, 0,
    p_queue_deadline_seconds, v_id);
  update video_jobs set image_object_id = v_job.image_object_id where job_id = v_new and v_job.image_object_id is not null;
  perform write_admin_action(v_admin, 'job_retry', p_request, v_user.id, null, v_id::text, null, jsonb_build_object('new_job_id', v_new));
  return keep_answer(v_admin, p_key, 'admin-retry-job', v_hash, jsonb_build_object('success', true, 'job_id', v_new));
end
$$;
comment on function admin_retry_job(uuid, jsonb, integer) is
  '{"success":true,"job_id":uuid}, once for each key. Raises ERR_4000, ERR_4005, ERR_4006, ERR_4007, ERR_4002, ERR_4009, ERR_4012, ERR_4013, ERR_4014.';
