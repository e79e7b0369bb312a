-- The only way to delete a job. Not yet submitted: cancelled and refunded. With the provider: it disappears for its user
-- at once, the worker asks the provider to cancel, and the credits come back only if that is confirmed or the job fails.
-- Finished: files and personal content go. Deleting twice is deleting once. Answers whether work is left for the worker.
create or replace function delete_video_job(p_job_id uuid) returns boolean
language plpgsql security definer set search_path = public, pg_temp as $$
declare
  v_me uuid := require_caller();
  v_job video_jobs;
begin
  perform 1 from users where id = v_me for no key update;
  select * into v_job from video_jobs where job_id = p_job_id and user_id = v_me for no key update;
  if not found then
    perform raise_error('ERR_4007', '{"what":"job"}');
  end if;
  if v_job.deleted_at is not null then
    return false;
  end if;
  update video_jobs set deleted_at = clock_timestamp(), video_url = null, thumbnail_url = null, image_url = null
  where job_id = p_job_id;
  update storage_objects set state = 'deleting', run_after = clock_timestamp()
  where job_id = p_job_id and (state = 'stored' or v_job.stage <> 'fetching');
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
comment on function delete_video_job(uuid) is
  'Deletes a job of the caller; true when the worker has something left to do. Raises ERR_4005, ERR_4006, ERR_4007.';
