revoke all on video_jobs, job_submissions, rate_limit_log
  from public, anon, authenticated, service_role, reelbase_api, reelbase_worker, reelbase_admin;
grant select (job_id, user_id, model_id, theme_id, model_name, prompt, settings, image_url, status, video_url,
  thumbnail_url, credits_used, error_code, created_at, completed_at, deleted_at,
  video_duration_seconds, video_width, video_height, video_fps, video_has_audio) on video_jobs to authenticated;
grant execute on function generate_video(uuid, jsonb, inet, jsonb, integer, jsonb), my_press_refusal() to authenticated;
grant execute on function confirm_generation_limit(uuid[], uuid[], uuid[], inet[], jsonb) to reelbase_api;
grant execute on function
  claim_video_jobs(text, integer, integer, jsonb), renew_video_job_lease(uuid, text, integer),
  begin_submission(uuid, text, integer),
  record_submission_accepted(bigint, text, text, text, text, text, double precision),
  record_submission_refused(bigint, text, text, double precision, integer),
  record_submission_ambiguous(uuid, text, text, integer), record_submission_detail(bigint, text, text, bigint),
  reschedule_video_job(uuid, text, double precision, boolean), reschedule_video_job(uuid, text, double precision, boolean, text),
  put_off_fetch(uuid, text, double precision),
  record_submission_rejected(bigint, text, text, text, text),
  record_video_failure(bigint, text, text, text, text, text, text, bigint, boolean),
  record_video_success(bigint, text, text, text, bigint), give_up_video_job(uuid, text, text, text),
  settle_submission(bigint, text, bigint, double precision, integer), record_video_result(uuid, text, text, text, bigint),
  complete_video_job(uuid, text, text, bigint, text, text, bigint, text, jsonb), fail_video_job(uuid, text, text, text, boolean),
  claim_unsettled_submissions(integer, integer), settle_submission(bigint, text, bigint, double precision),
  record_provider_bill(bigint, numeric, bigint, bigint), claim_unbilled_submissions(text[], integer, integer, integer)
  to reelbase_worker;
grant execute on function mark_jobs_after_restore(integer, integer, text[], timestamptz), submissions_are_held() to reelbase_worker, reelbase_admin;
