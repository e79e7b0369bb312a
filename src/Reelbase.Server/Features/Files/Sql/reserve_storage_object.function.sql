-- Writes down a file before it exists, so that no file is ever without a row. The same name again is the same row.
-- It belongs to whoever the job belongs to now: the row is held, so that a merge comes before or after and never between.
create or replace function reserve_storage_object(p_bucket text, p_name text, p_user_id uuid, p_job_id uuid)
returns void language plpgsql security definer set search_path = internal, public, pg_temp as $$
declare
  v_owner uuid;
begin
  select user_id into v_owner from video_jobs where job_id = p_job_id for share;
  insert into storage_objects (bucket, name, user_id, job_id) values (p_bucket, p_name, coalesce(v_owner, p_user_id), p_job_id)
  on conflict on constraint storage_objects_bucket_name_key do nothing;
end
$$;
comment on function reserve_storage_object(text, text, uuid, uuid) is 'Registers a file that is about to be written.';
