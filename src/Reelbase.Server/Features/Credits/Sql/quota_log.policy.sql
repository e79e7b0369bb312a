alter table quota_log enable row level security;
drop policy if exists quota_log_read_own on quota_log;
create policy quota_log_read_own on quota_log for select to authenticated
  using (user_id = any ((select my_user_ids())::uuid[]));
