-- A job as the console shows one in a list. Internal.
create or replace function internal.describe_job(p_job video_jobs) returns jsonb
language sql stable security definer set search_path = internal, public, pg_temp as $$
  select jsonb_build_object('job_id', p_job.job_id, 'user_id', p_job.user_id, 'prompt', p_job.prompt, 'model_id', p_job.model_id,
    'model_name', p_job.model_name, 'theme_id', p_job.theme_id, 'settings', p_job.settings, 'image_url', p_job.image_url,
    'provider', p_job.provider, 'provider_job_id', p_job.provider_job_id, 'status', p_job.status, 'stage', p_job.stage,
    'credits_used', p_job.credits_used, 'credits_charged', p_job.credits_charged,
    'credits_returned', p_job.credits_returned, 'is_credits_exempt', p_job.is_credits_exempt, 'paid_by_house', p_job.paid_by_house, 'retry_of', p_job.retry_of,
    'stalled_claims', p_job.stalled_claims, 'error_code', p_job.error_code, 'error_message', p_job.error_message,
    'attempt', p_job.attempt, 'provider_cost_micros', p_job.provider_cost_micros, 'video', p_job.video_url, 'thumbnail', p_job.thumbnail_url,
    'video_duration_seconds', p_job.video_duration_seconds, 'video_width', p_job.video_width, 'video_height', p_job.video_height,
    'created_at', to_json_time(p_job.created_at), 'submitted_at', to_json_time(p_job.submitted_at), 'completed_at', to_json_time(p_job.completed_at), 'deadline_at', to_json_time(p_job.deadline_at),
    'run_after', to_json_time(p_job.run_after), 'lease_until', to_json_time(p_job.lease_until), 'leased_by', p_job.leased_by,
    'cancel_requested_at', to_json_time(p_job.cancel_requested_at), 'deleted_at', to_json_time(p_job.deleted_at), 'trace_id', substr(p_job.trace_parent, 4, 32))
$$;
comment on function internal.describe_job(video_jobs) is
  'A job for the console, as JSON. Internal to the admin functions.';
