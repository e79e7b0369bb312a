-- A contract step, in which the previous release's statements go on running: an index less makes a query slower and never wrong.
-- Two rows of a user cannot have one place, which is what the chain goes by; the place among all users' rows is asked for nowhere.
create unique index concurrently if not exists quota_log_user_seq_key on quota_log (user_id, seq desc);
drop index concurrently if exists quota_log_user_seq_idx;
drop index concurrently if exists quota_log_seq_idx;
-- A user's ledger is read in the order of its places; by time there is nothing but a Supabase client's own query, which sorts some hundred rows.
drop index concurrently if exists quota_log_user_created_idx;
-- No query asks for the jobs of a model or for the stored answers of a job, and neither models nor jobs are removed.
drop index concurrently if exists video_jobs_model_idx;
drop index concurrently if exists idempotency_log_job_idx;
-- The beginning of webhook_deliveries_status_id_idx.
drop index concurrently if exists webhook_deliveries_status_idx;
-- Room for the next balance on the row's own page: no charge needs an index entry then (0093).
alter table users set (fillfactor = 85);
