-- Support cancels a job that has not ended: in the queue it ends at once and is refunded; with its provider it is asked to stop, and the credits
-- come back when that is confirmed or the job fails. A video that is finished all the same is delivered.
create or replace function admin_cancel_job(p_request jsonb) returns jsonb
language plpgsql security definer set search_path = internal, public, pg_temp as $$
declare
  v_admin uuid := require_admin();
  v_id uuid := read_admin_uuid(p_request, 'job_id', 'job');
  v_job video_jobs;
begin
  perform lock_account((select j.user_id from video_jobs j where j.job_id = v_id));
  select * into v_job from video_jobs where job_id = v_id for no key update;
  if not found then
    perform raise_error('ERR_4007', '{"what":"job"}');
  elsif v_job.stage = 'finished' then
    perform raise_error('ERR_4012', '{"reason":"has_ended"}');
  end if;
  perform write_admin_action(v_admin, 'job_cancel', p_request, v_job.user_id, null, v_id::text, null, jsonb_build_object('stage', v_job.stage));
  if v_job.stage = 'queued' then
    perform fail_video_job(v_id, null, 'ERR_5002', 'The video was cancelled.');
  else
    update video_jobs set cancel_requested_at = coalesce(cancel_requested_at, clock_timestamp()),
      run_after = case when stage = 'submitted' then clock_timestamp() else run_after end where job_id = v_id;
  end if;
  return jsonb_build_object('success', true, 'status', (select status from video_jobs where job_id = v_id));
end
$$;
comment on function admin_cancel_job(jsonb) is
  '{"success":true,"status":text}. Raises ERR_4000, ERR_4005, ERR_4006, ERR_4007, ERR_4012 (has_ended).';
