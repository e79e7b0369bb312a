-- The video is in our storage: the job is done, once. The files' rows and the job change together, so no finished job
-- points at an unfinished file. p_metadata: duration_seconds, width, height, fps, has_audio as far as they are known.
-- False when the lease is no longer ours.
drop function if exists complete_video_job(uuid, text, text, bigint, text, text, bigint, text);
create or replace function complete_video_job(
  p_job_id uuid, p_leased_by text, p_video_name text, p_video_bytes bigint, p_video_type text,
  p_thumbnail_name text, p_thumbnail_bytes bigint, p_thumbnail_type text, p_metadata jsonb default '{}')
returns boolean language plpgsql security definer set search_path = internal, public, pg_temp as $$
declare
  v_job video_jobs;
begin
  select * into v_job from video_jobs
  where job_id = p_job_id and leased_by = p_leased_by and stage = 'fetching' for no key update;
  if not found then
    return false;
  end if;
  if v_job.deleted_at is not null then
    update storage_objects set state = 'deleting', run_after = clock_timestamp() where job_id = p_job_id;
    update video_jobs set stage = 'finished', status = 'completed', completed_at = clock_timestamp(), prompt = '',
      settings = '{}', image_url = null, result_url = null, leased_by = null, lease_until = null
    where job_id = p_job_id;
    return true;
  end if;
  update storage_objects set state = 'stored', stored_at = clock_timestamp(),
    size_bytes = case when bucket = 'videos' then p_video_bytes else p_thumbnail_bytes end,
    content_type = case when bucket = 'videos' then p_video_type else p_thumbnail_type end
  where job_id = p_job_id and ((bucket = 'videos' and name = p_video_name)
    or (bucket = 'thumbnails' and name = p_thumbnail_name));
  update video_jobs set stage = 'finished', status = 'completed', completed_at = clock_timestamp(),
    video_duration_seconds = (p_metadata ->> 'duration_seconds')::numeric, video_width = (p_metadata ->> 'width')::integer,
    video_height = (p_metadata ->> 'height')::integer, video_fps = (p_metadata ->> 'fps')::numeric,
    video_has_audio = (p_metadata ->> 'has_audio')::boolean,
    video_url = p_video_name, thumbnail_url = p_thumbnail_name, result_url = null, leased_by = null, lease_until = null
  where job_id = p_job_id;
  perform enqueue_pushes(p_job_id);
  perform measure_model_seconds(v_job.model_id);
  return true;
end
$$;
comment on function complete_video_job(uuid, text, text, bigint, text, text, bigint, text, jsonb) is
  'Finishes a job with its stored files, once; false when the lease is gone.';
