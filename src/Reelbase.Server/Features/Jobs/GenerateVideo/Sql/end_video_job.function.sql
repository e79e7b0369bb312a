-- Ends a job without a video and gives back what is left of its charge, in one transaction. The caller has locked it (lock_job) and decided that
-- it may end; p_job is the row as it was locked. p_unsettled: its provider may still make and charge for a video; somebody asks it later, for
-- what is recorded.
create or replace function internal.end_video_job(p_job video_jobs, p_error_code text, p_error_message text, p_unsettled boolean) returns void
language plpgsql security definer set search_path = internal, public, pg_temp as $$
begin
  -- The credits first: a row cannot be failed while any of them is owed.
  perform return_job_credits(p_job.job_id, 'generation_failed_refund');
  update video_jobs set stage = 'finished', status = 'failed', completed_at = clock_timestamp(),
    error_code = p_error_code, error_message = p_error_message, result_url = null, leased_by = null, lease_until = null,
    prompt = case when deleted_at is null then prompt else '' end, settings = case when deleted_at is null then settings else '{}' end,
    image_url = case when deleted_at is null then image_url end
  where job_id = p_job.job_id;
  update storage_objects set state = 'deleting', run_after = clock_timestamp() where job_id = p_job.job_id;
  update job_submissions set outcome = 'failed', detail = coalesce(detail, p_error_code),
    settle_after = case when p_unsettled and provider_job_id is not null then clock_timestamp() + interval '1 minute' end
  where job_id = p_job.job_id and attempt = p_job.attempt and outcome in ('intended', 'accepted', 'succeeded');
  perform enqueue_pushes(p_job.job_id);
  if p_job.stage = 'queued' and p_job.deadline_at <= clock_timestamp() and p_job.deleted_at is null then
    perform alert_queue_expired(p_job.provider);
  end if;
end
$$;
comment on function internal.end_video_job(video_jobs, text, text, boolean) is
  'Ends a locked job as failed and gives back what is left of its charge. Internal to the definer functions.';
