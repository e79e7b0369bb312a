-- A job that was claimed again and again without any record (it kills its workers, or its record raises) ends: failed, refunded, alerted once.
-- When even that raises, the least is done that ends it: what it holds is a place at its provider, and nobody may wait behind it for ever.
create or replace function give_up_video_job(p_job_id uuid, p_leased_by text, p_error_code text, p_error_message text) returns boolean
language plpgsql security definer set search_path = internal, public, pg_temp as $$
declare
  v_job video_jobs := lock_job(p_job_id);
  v_fault text;
begin
  if v_job.job_id is null or v_job.stage = 'finished' or v_job.leased_by is distinct from p_leased_by then
    return false;
  end if;
  begin
    perform end_video_job(v_job, p_error_code, p_error_message, true);
  exception when others then
    v_fault := sqlstate || ' ' || sqlerrm;
    perform return_job_credits(p_job_id, 'generation_failed_refund');
    update video_jobs set stage = 'finished', status = 'failed', completed_at = clock_timestamp(), error_code = p_error_code,
      error_message = p_error_message, result_url = null, leased_by = null, lease_until = null
    where job_id = p_job_id;
  end;
  perform raise_alert('dead_work', 'video_jobs:' || p_job_id, format('Job %s was given up after %s claims without progress at stage %s and refunded%s. See the console.',
    p_job_id, v_job.stalled_claims, v_job.stage, coalesce('; ending it raised ' || left(v_fault, 300), '')));
  return true;
end
$$;
comment on function give_up_video_job(uuid, text, text, text) is
  'Ends a job that was claimed too often without progress, refunded, with one alert; false when the claim is another''s.';
