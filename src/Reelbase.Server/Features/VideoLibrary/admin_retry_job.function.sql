-- Support makes a failed video once more, at the house's cost: a new job of the same user with the same wishes, its price given first and
-- charged then, so that the balance stays as it is and the books say why.
create or replace function admin_retry_job(p_key uuid, p_request jsonb, p_queue_deadline_seconds integer) returns jsonb
language plpgsql security definer set search_path = public, pg_temp as $$
declare
  v_admin uuid := require_admin();
  v_id uuid := read_admin_uuid(p_request, 'job_id', 'job');
  v_user users;
  v_job video_jobs;
  v_model models;
  v_new uuid := uuid_v7();
  v_answer jsonb;
begin
  v_user := lock_account((select j.user_id from video_jobs j where j.job_id = v_id));
  select * into v_job from video_jobs where job_id = v_id for no key update;
  v_answer := find_admin_replay(v_admin, p_key, 'admin-retry-job', p_request);
  if v_answer is not null then
    return v_answer;
  end if;
  if v_job.job_id is null or v_user.id is null or v_user.deleted_at is not null then
    perform raise_error('ERR_4007', '{"what":"job"}');
  elsif v_job.status <> 'failed' or v_job.deleted_at is not null or v_job.prompt = '' then
    perform raise_error('ERR_4012', '{"reason":"cannot_be_made_again"}');
  end if;
  select * into v_model from models where id = v_job.model_id;
  if v_model.id is null or not model_is_offered(v_model.is_available, v_model.provider_model_id, v_model.sunset_at) then
    perform raise_error('ERR_4002', jsonb_build_object('model_id', v_job.model_id));
  end if;
  perform write_admin_action(v_admin, 'job_retry', p_request, v_user.id, null, v_id::text, v_job.credits_used, jsonb_build_object('new_job_id', v_new));
  perform write_ledger(v_user.id, v_job.credits_used, 'admin_refund', null, null, 'made again: ' || v_id);
  insert into video_jobs (job_id, user_id, model_id, theme_id, model_name, prompt, settings, image_url, credits_used,
    provider, line_turn, created_at, run_after, deadline_at)
  values (v_new, v_user.id, v_model.id, v_job.theme_id, v_model.name, v_job.prompt, v_job.settings, v_job.image_url, v_job.credits_used,
    v_model.provider, coalesce((select s.turns from provider_states s where s.provider = v_model.provider), 0),
    clock_timestamp(), clock_timestamp(), clock_timestamp() + make_interval(secs => p_queue_deadline_seconds));
  perform write_ledger(v_user.id, -v_job.credits_used, 'video_generation', v_new);
  return store_admin_answer(v_admin, p_key, 'admin-retry-job', p_request, jsonb_build_object('success', true, 'job_id', v_new));
end
$$;
comment on function admin_retry_job(uuid, jsonb, integer) is
  '{"success":true,"job_id":uuid}, once for each key. Raises ERR_4000, ERR_4005, ERR_4006, ERR_4007, ERR_4002, ERR_4009, ERR_4012.';
