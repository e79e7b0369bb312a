-- Nothing is sent to a phone whose account is gone.
create or replace function internal.on_account_erased_push(p_user_ids uuid[]) returns void
language plpgsql set search_path = internal, public, pg_temp as $$
begin
  delete from push_notifications where user_id = any (p_user_ids);
  delete from push_tokens where user_id = any (p_user_ids);
end
$$;
comment on function internal.on_account_erased_push(uuid[]) is 'Removes the pushes and the phones'' tokens. Internal to erase_account, which has locked the account.';
