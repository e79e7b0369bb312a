-- The rows lead the worker to the files, and go with them.
create or replace function internal.on_account_erased_files(p_user_ids uuid[]) returns void
language plpgsql set search_path = internal, public, pg_temp as $$
begin
  delete from uploads where user_id = any (p_user_ids);
  update storage_objects set state = 'deleting', run_after = clock_timestamp() where user_id = any (p_user_ids) and state = 'stored';
end
$$;
comment on function internal.on_account_erased_files(uuid[]) is 'Removes the names of files, and has the files deleted. Internal to erase_account, which has locked the account.';
