-- Ends a job without a video and gives the credits back, in one transaction and once: the move to finished happens
-- once, and a unique index allows one refund a job. p_leased_by null is for reports that need no lease (a webhook).
-- The refund is what the ledger charged; a job from before the upgrade, whose charge carries no job id, uses its own figure.
-- p_unsettled: the provider could not be asked what it did; somebody asks it later, for the books.
drop function if exists fail_video_job(uuid, text, text, text);
create or replace function fail_video_job(
  p_job_id uuid, p_leased_by text, p_error_code text, p_error_message text, p_unsettled boolean default false)
returns boolean language plpgsql security definer set search_path = public, pg_temp as $$
declare
  v_job video_jobs;
  v_refund integer;
begin
  -- The user row first and the job second, as everywhere: two orders would deadlock.
  perform lock_account((select j.user_id from video_jobs j where j.job_id = p_job_id));
  select * into v_job from video_jobs where job_id = p_job_id and stage <> 'finished' for no key update;
  if not found or (p_leased_by is not null and v_job.leased_by is distinct from p_leased_by)
    -- The first final result wins: a report of failure that comes after a success is only a remark.
    or (p_leased_by is null and v_job.stage = 'fetching') then
    return false;
  end if;
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
  select -change into v_refund from quota_log where job_id = p_job_id and reason = 'video_generation';
  v_refund := coalesce(v_refund, v_job.credits_used);
  if v_refund > 0 then
    perform write_ledger(v_job.user_id, v_refund, 'generation_failed_refund', p_job_id);
  end if;
  perform enqueue_pushes(p_job_id);
  return true;
end
$$;
comment on function fail_video_job(uuid, text, text, text, boolean) is
  'Ends a job as failed and refunds its charge exactly once; false when it had ended or the lease is gone.';
