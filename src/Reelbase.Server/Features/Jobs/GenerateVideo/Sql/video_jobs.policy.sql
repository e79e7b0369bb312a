alter table video_jobs enable row level security;
-- No insert, update or delete for users: functions do that, because each of them is also a matter of money.
drop policy if exists video_jobs_read_own on video_jobs;
create policy video_jobs_read_own on video_jobs for select to authenticated
  using (user_id = (select my_user_id()) and deleted_at is null);
alter table job_submissions enable row level security;
alter table rate_limit_log enable row level security;
