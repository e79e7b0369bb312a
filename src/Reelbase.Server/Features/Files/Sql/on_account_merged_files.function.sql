-- After the jobs: a file that is being announced holds its job's row and is seen here or finds the member.
create or replace function internal.on_account_merged_files(p_guest_id uuid, p_member_id uuid) returns void
language plpgsql set search_path = internal, public, pg_temp as $$
begin
  update storage_objects set user_id = p_member_id where user_id = p_guest_id;
  update uploads set user_id = p_member_id where user_id = p_guest_id;
end
$$;
comment on function internal.on_account_merged_files(uuid, uuid) is 'Moves the files and their names. Internal to merge_accounts, which has locked both accounts.';
