alter table users enable row level security;
drop policy if exists users_read_own on users;
create policy users_read_own on users for select to authenticated using (id = (select my_user_id()));
-- Which columns may change is said by the column grants: language and theme_preference.
drop policy if exists users_update_own on users;
create policy users_update_own on users for update to authenticated
  using (id = (select my_user_id())) with check (id = (select my_user_id()));
