-- The only way in which a user deletes a job. Deleting twice is deleting once. Answers whether work is left for the worker.
create or replace function delete_video_job(p_job_id uuid) returns boolean
language plpgsql security definer set search_path = internal, public, pg_temp as $$
declare
  v_me uuid := require_caller();
  v_user users;
begin
  v_user := lock_account(v_me);
  if not exists (select from video_jobs where job_id = p_job_id and user_id = v_user.id) then
    perform raise_error('ERR_4007', '{"what":"job"}');
  end if;
  return erase_video_job(p_job_id);
end
$$;
comment on function delete_video_job(uuid) is
  'Deletes a job of the caller; true when the worker has something left to do. Raises ERR_4005, ERR_4006, ERR_4007.';
