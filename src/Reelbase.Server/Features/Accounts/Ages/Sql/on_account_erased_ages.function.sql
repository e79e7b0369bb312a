-- The band says something about the person.
create or replace function internal.on_account_erased_ages(p_user_ids uuid[]) returns void
language plpgsql set search_path = internal, public, pg_temp as $$
begin
  delete from age_bands where user_id = any (p_user_ids);
end
$$;
comment on function internal.on_account_erased_ages(uuid[]) is 'Removes the age band. Internal to erase_account, which has locked the account.';
