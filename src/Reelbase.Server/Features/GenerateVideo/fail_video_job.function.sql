-- Ends a job without a video and gives back what is left of its charge, in one transaction and once. p_leased_by null is for reports that
-- need no lease (a webhook).
-- p_unsettled: the provider could not be asked what it did; somebody asks it later, for the books.
drop function if exists fail_video_job(uuid, text, text, text);
create or replace function fail_video_job(
  p_job_id uuid, p_leased_by text, p_error_code text, p_error_message text, p_unsettled boolean default false)
returns boolean language plpgsql security definer set search_path = public, pg_temp as $$
declare
  v_job video_jobs;
begin
  v_job := lock_job(p_job_id);
  if v_job.job_id is null or v_job.stage = 'finished' or (p_leased_by is not null and v_job.leased_by is distinct from p_leased_by)
    -- The first final result wins: a report of failure that comes after a success is only a remark.
    or (p_leased_by is null and v_job.stage = 'fetching') then
    return false;
  end if;
  -- The credits first: a row cannot be failed while any of them is owed.
  perform return_job_credits(p_job_id, 'generation_failed_refund');
  update video_jobs set stage = 'finished', status = 'failed', completed_at = clock_timestamp(),
    error_code = p_error_code, error_message = p_error_message, result_url = null, leased_by = null, lease_until = null
  where job_id = p_job_id;
  if v_job.deleted_at is not null then
    update video_jobs set prompt = '', settings = '{}', image_url = null where job_id = p_job_id;
  end if;
  update storage_objects set state = 'deleting', run_after = clock_timestamp() where job_id = p_job_id;
  update job_submissions set outcome = 'failed', detail = coalesce(detail, p_error_code),
    settle_after = case when p_unsettled and provider_job_id is not null then clock_timestamp() + interval '1 minute' end
  where job_id = p_job_id and attempt = v_job.attempt and outcome in ('intended', 'accepted', 'succeeded');
  perform enqueue_pushes(p_job_id);
  return true;
end
$$;
comment on function fail_video_job(uuid, text, text, text, boolean) is
  'Ends a job as failed and refunds its charge exactly once; false when it had ended or the lease is gone.';
