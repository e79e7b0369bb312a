-- Puts a job into the queue and charges for it: the one place where a job begins, for a press and for a retry by support alike. The user row
-- is locked by the caller. p_retry_of: the job that is retried at our cost; nothing is charged then, so nothing can come back. Whether the user may and has agreed
-- is asked here for a retry; a press has been asked before its price. p_queue_lane, p_queue_key: its place in the queue when the caller has read what
-- that needs; the trigger of the queue finds it otherwise. Not a definer function: only those call it, and each change of rights and search path costs.
drop function if exists internal.insert_video_job(uuid, models, uuid, text, jsonb, text, integer, integer, uuid);
create or replace function internal.insert_video_job(
  p_user_id uuid, p_model_id uuid, p_model_name text, p_provider text, p_theme_id uuid, p_prompt text, p_settings jsonb, p_image_url text, p_cost integer,
  p_queue_deadline_seconds integer, p_retry_of uuid default null, p_queue_lane text default null, p_queue_key bigint default null)
returns uuid language plpgsql as $$
declare
  v_job_id uuid := internal.uuid_v7();
  v_charge integer := case when p_retry_of is null then p_cost else 0 end;
  v_now timestamptz := clock_timestamp();
  v_model models;
  v_consent jsonb;
  v_balance integer;
begin
  if p_retry_of is not null then
    select * into v_model from models where id = p_model_id;
    v_consent := internal.missing_ai_consent(p_user_id, v_model, true);
    perform internal.require_model_offered(v_model, p_model_id::text);
    if internal.age_refusal(p_user_id) is not null then
      perform raise_error('ERR_4014');
    elsif v_consent is not null then
      perform raise_error('ERR_4013', v_consent);
    end if;
  end if;
  insert into video_jobs (job_id, user_id, model_id, theme_id, model_name, prompt, settings, image_url, credits_used, credits_charged,
    paid_by_house, retry_of, provider, created_at, run_after, deadline_at, queue_lane, queue_key)
  values (v_job_id, p_user_id, p_model_id, p_theme_id, p_model_name, p_prompt, p_settings, p_image_url, v_charge, v_charge,
    p_retry_of is not null, p_retry_of, p_provider,
    v_now, v_now, v_now + make_interval(secs => p_queue_deadline_seconds), p_queue_lane, p_queue_key);
  if v_charge > 0 then
    -- An assignment: perform would set up a query around it.
    v_balance := write_ledger(p_user_id, -v_charge, 'video_generation', v_job_id);
  end if;
  return v_job_id;
end
$$;
comment on function internal.insert_video_job(uuid, uuid, text, text, uuid, text, jsonb, text, integer, integer, uuid, text, bigint) is
  'Queues a job and charges for it, or not when it is a retry; answers its id. Raises ERR_4002, ERR_4013, ERR_4014. Internal to generate_video and admin_retry_job.';
