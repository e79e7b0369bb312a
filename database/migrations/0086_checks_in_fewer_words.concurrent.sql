alter table users validate constraint users_times_check;
alter table video_jobs validate constraint video_jobs_times_check;
alter table quota_log validate constraint quota_log_times_check;
alter table quota_log validate constraint quota_log_sign_check;
