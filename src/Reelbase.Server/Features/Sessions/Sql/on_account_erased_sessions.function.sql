-- Nobody is signed in to an account that is gone.
create or replace function internal.on_account_erased_sessions(p_user_ids uuid[]) returns void
language plpgsql set search_path = internal, public, pg_temp as $$
begin
  delete from sessions where user_id = any (p_user_ids);
  delete from former_refresh_tokens where user_id = any (p_user_ids);
end
$$;
comment on function internal.on_account_erased_sessions(uuid[]) is 'Removes the sessions and the tokens of the former system. Internal to erase_account, which has locked the account.';
