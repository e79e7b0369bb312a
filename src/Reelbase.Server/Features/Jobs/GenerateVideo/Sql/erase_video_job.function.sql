-- Deletes a job whose user row is locked already. Not yet submitted: cancelled and refunded. With the provider: it disappears
-- for its user at once, the worker asks the provider to cancel, and the credits come back only if that is confirmed or the
-- job fails. Finished: files and personal content go. Answers whether work is left for the worker.
create or replace function internal.erase_video_job(p_job_id uuid) returns boolean
language plpgsql security definer set search_path = internal, public, pg_temp as $$
declare
  v_job video_jobs;
begin
  select * into v_job from video_jobs where job_id = p_job_id and deleted_at is null for no key update;
  if not found then
    return false;
  end if;
  update video_jobs set deleted_at = clock_timestamp(), video_url = null, thumbnail_url = null, image_url = null
  where job_id = p_job_id;
  update storage_objects set state = 'deleting', run_after = clock_timestamp()
  where job_id = p_job_id and (state = 'stored' or v_job.stage <> 'fetching');
  -- What providers said about it can repeat what its user wrote.
  update job_submissions set detail = null where job_id = p_job_id;
  update webhook_deliveries set payload = null where job_id = p_job_id and status <> 'pending';
  if v_job.stage = 'queued' then
    perform fail_video_job(p_job_id, null, null, null);
    return false;
  elsif v_job.stage = 'finished' then
    update video_jobs set prompt = '', settings = '{}' where job_id = p_job_id;
  else
    update video_jobs set cancel_requested_at = clock_timestamp(),
      run_after = case when stage in ('submitted', 'fetching') then clock_timestamp() else run_after end
    where job_id = p_job_id;
  end if;
  return true;
end
$$;
comment on function internal.erase_video_job(uuid) is 'Deletes a job, whoever asks; true when the worker has something left to do. Internal to the definer functions.';
