-- A stored file is gone from the store: a disk was lost, or somebody removed it by hand. Its job stops promising it, and the
-- operator is notified once a day; whether a user gets credits for it is for support to say.
create or replace function forget_missing_object(p_id uuid) returns boolean
language plpgsql security definer set search_path = internal, public, pg_temp as $$
declare
  v_object storage_objects;
begin
  delete from storage_objects where id = p_id and state = 'stored' returning * into v_object;
  if not found then
    return false;
  end if;
  update video_jobs set video_url = case when v_object.bucket = 'videos' then null else video_url end,
    thumbnail_url = case when v_object.bucket = 'thumbnails' then null else thumbnail_url end
  where job_id = v_object.job_id;
  perform raise_alert('file_missing', (clock_timestamp() at time zone 'UTC')::date::text,
    format('Stored files are missing from the store, the first is %s/%s of job %s. Look at the disk or the bucket.',
      v_object.bucket, v_object.name, coalesce(v_object.job_id::text, '-')));
  return true;
end
$$;
comment on function forget_missing_object(uuid) is 'Removes the row of a stored file that its store has lost and alerts the operator; false when it is not stored.';
