-- Jobs that have not begun are cancelled and refunded; jobs with a provider are cancelled there and end unseen.
create or replace function internal.on_account_erased_generate_video(p_user_ids uuid[]) returns integer
language plpgsql set search_path = internal, public, pg_temp as $$
declare
  v_job_id uuid;
  v_jobs_left integer := 0;
begin
  for v_job_id in select job_id from video_jobs where user_id = any (p_user_ids) and deleted_at is null order by job_id loop
    v_jobs_left := v_jobs_left + (erase_video_job(v_job_id) and exists (
      select from video_jobs where job_id = v_job_id and stage <> 'finished'))::integer;
  end loop;
  return v_jobs_left;
end
$$;
comment on function internal.on_account_erased_generate_video(uuid[]) is 'Removes the jobs; answers how many the worker still has to end. Internal to erase_account, which has locked the account.';
