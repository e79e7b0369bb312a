-- PostgreSQL reads the text of every CHECK of a table at each insert and update, which was a quarter of what accepting a generation cost. The rules
-- are the same: a status is tied to its stage by video_jobs_status_stage_check, which names every one of both.
-- A table with checks to come cannot be altered.
set constraints all immediate;
alter table video_jobs drop constraint if exists video_jobs_stage_check, drop constraint if exists video_jobs_status_check;

alter table users drop constraint if exists users_times_check;
alter table users add constraint users_times_check check (
  least(language_chosen_at, banned_at, deleted_at, created_at, updated_at) >= '0001-01-01 00:00:00+00'
  and greatest(language_chosen_at, banned_at, deleted_at, created_at, updated_at) <= '9999-12-31 23:59:59+00') not valid;
alter table video_jobs drop constraint if exists video_jobs_times_check;
alter table video_jobs add constraint video_jobs_times_check check (
  least(created_at, submitted_at, completed_at, deleted_at, cancel_requested_at, run_after, deadline_at, lease_until) >= '0001-01-01 00:00:00+00'
  and greatest(created_at, submitted_at, completed_at, deleted_at, cancel_requested_at, run_after, deadline_at, lease_until) <= '9999-12-31 23:59:59+00') not valid;
alter table quota_log drop constraint if exists quota_log_times_check, drop constraint if exists quota_log_sign_check;
alter table quota_log add constraint quota_log_times_check check (
  least(imported_at, created_at) >= '0001-01-01 00:00:00+00' and greatest(imported_at, created_at) <= '9999-12-31 23:59:59+00') not valid;
alter table quota_log add constraint quota_log_sign_check check (case
  when reason in ('video_generation', 'apple_refund') then change < 0
  when reason in ('generation_failed_refund', 'initial_grant', 'iap_purchase', 'apple_refund_reversed') then change > 0
  else true end) not valid;
set constraints all deferred;
