create or replace function delete_account() returns jsonb
language sql security definer set search_path = public, pg_temp as $$
  select erase_account(require_caller())
$$;
comment on function delete_account() is 'Deletes the caller''s account; answers as erase_account. Raises ERR_4005, ERR_4006.';
