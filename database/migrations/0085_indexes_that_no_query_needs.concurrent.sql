-- Accepting a generation writes every index of its tables. These repeat a unique constraint's, are the beginning of a wider one, or serve a
-- query that there is no more (due and deadline are asked by provider since the queue went by provider).
drop index concurrently if exists users_apple_sub_idx;
drop index concurrently if exists users_device_id_idx;
drop index concurrently if exists quota_log_transaction_idx;
drop index concurrently if exists video_jobs_status_idx;
drop index concurrently if exists video_jobs_due_idx;
drop index concurrently if exists video_jobs_deadline_idx;
-- A job has no provider's id until it was submitted.
create index concurrently if not exists video_jobs_submitted_as_idx on video_jobs (provider_job_id) where provider_job_id is not null;
drop index concurrently if exists video_jobs_provider_job_idx;
