-- The picture that a provider is to start from, as long as the job lives.
create or replace function find_job_picture(p_job_id uuid)
returns table (id uuid, store_bucket text, store_name text, size_bytes bigint, content_type text, cached_for text, created_at timestamptz,
  updated_at timestamptz, object_id uuid)
language sql stable security definer set search_path = internal, public, pg_temp as $$
  select o.id, o.bucket, o.name, o.size_bytes, o.content_type, null, o.created_at, o.stored_at, o.id
  from video_jobs j join storage_objects o on o.id = j.image_object_id
  where j.job_id = p_job_id and j.stage <> 'finished' and o.user_id = j.user_id and o.state = 'stored'
$$;
comment on function find_job_picture(uuid) is 'The picture of a job that is not over; nothing once it was deleted or replaced.';
