-- What an import has noted about a file names its user.
create or replace function internal.on_account_erased_import(p_user_ids uuid[]) returns void
language plpgsql set search_path = internal, public, pg_temp as $$
begin
  delete from import_files where user_id = any (p_user_ids);
end
$$;
comment on function internal.on_account_erased_import(uuid[]) is 'Forgets the files that were brought. Internal to erase_account, which has locked the account.';
