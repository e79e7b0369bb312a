-- E-mails are compared by normalize_email, so their indexes do not depend on the database's locale.
create unique index concurrently users_admin_normalized_email_key on users (normalize_email(email)) where is_admin and email is not null;
create index concurrently users_normalized_email_idx on users (normalize_email(email) text_pattern_ops) where email is not null;
alter table users validate constraint users_times_check;
alter table models validate constraint models_times_check;
alter table themes validate constraint themes_times_check;
alter table video_jobs validate constraint video_jobs_times_check;
alter table quota_log validate constraint quota_log_times_check;
alter table purchases validate constraint purchases_times_check;
