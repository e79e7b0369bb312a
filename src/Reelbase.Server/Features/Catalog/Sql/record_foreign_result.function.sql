-- A finished video lies on a host that it may not be fetched from. The operator learns of it at the first job, once a day
-- for each host. When this is so for the own address (not a redirect) of three jobs of different users in a row, the model
-- is paused: it is not offered, and its jobs in the queue wait, until somebody switches it on. True when it was paused now.
create or replace function record_foreign_result(p_job_id uuid, p_host text, p_setting text, p_is_redirect boolean) returns boolean
language plpgsql security definer set search_path = internal, public, pg_temp as $$
declare
  c_users constant integer := 3;
  v_host text := left(p_host, 255);
  v_job video_jobs;
  v_model models;
begin
  select * into v_job from video_jobs where job_id = p_job_id;
  if not found then
    return false;
  end if;
  perform raise_alert('result_host', v_job.provider || ':' || (clock_timestamp() at time zone 'UTC')::date || ':' || v_host,
    format('The video of job %s (%s) %s %s, a host that %s does not allow. The job failed and its credits went back. If the host is the provider''s, add it to %s.',
      v_job.job_id, v_job.provider, case when p_is_redirect then 'redirects to' else 'lies on' end, v_host, p_setting, p_setting));
  if p_is_redirect then
    return false;
  end if;
  -- Locked, so that two results cannot both be the second.
  select * into v_model from models where id = v_job.model_id for no key update;
  if not found or not v_model.is_available then
    return false;
  end if;
  insert into foreign_results (job_id, model_id, host)
  select v_job.job_id, v_model.id, v_host
  where not exists (select from foreign_results f join video_jobs j on j.job_id = f.job_id where f.model_id = v_model.id and j.user_id = v_job.user_id)
  on conflict on constraint foreign_results_pkey do nothing;
  if (select count(*) from foreign_results f where f.model_id = v_model.id) < c_users then
    return false;
  end if;
  delete from foreign_results where model_id = v_model.id;
  update models set is_available = false, paused_at = clock_timestamp(),
    paused_reason = format('The videos of %s users in a row were on a host that %s does not allow, the last on %s.', c_users, p_setting, v_host)
  where id = v_model.id;
  -- Whoever waits would only be next: they wait for the operator, at most until their deadline, and are refunded then.
  update video_jobs set run_after = deadline_at where job_id in (
    select j.job_id from video_jobs j
    where j.provider = v_model.provider and j.stage = 'queued' and j.model_id = v_model.id
      and (j.lease_until is null or j.lease_until < clock_timestamp())
    for no key update skip locked);
  perform raise_alert('model_paused', v_model.id || ':' || clock_timestamp(),
    format('%s is paused and not offered: the videos of %s users in a row were on a host that %s does not allow, the last on %s. Its jobs in the queue wait.%s Add the host to %s if it is the provider''s, then switch the model on.',
      v_model.name, c_users, p_setting, v_host,
      case when v_model.is_active then ' It is the active model: requests that name only a theme fail meanwhile.' end, p_setting));
  return true;
end
$$;
comment on function record_foreign_result(uuid, text, text, boolean) is
  'Alerts of a result on a host that is not allowed and pauses the model after three users in a row; true when it was paused now.';
