alter table storage_objects enable row level security;
drop policy if exists storage_objects_read_own on storage_objects;
create policy storage_objects_read_own on storage_objects for select to authenticated
  using (user_id = any ((select my_user_ids())::uuid[]) and state = 'stored');
