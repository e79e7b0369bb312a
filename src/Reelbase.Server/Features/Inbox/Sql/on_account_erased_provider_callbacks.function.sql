-- What was handled already says nothing any more; what waits is handled first.
create or replace function internal.on_account_erased_provider_callbacks(p_user_ids uuid[]) returns void
language plpgsql set search_path = internal, public, pg_temp as $$
begin
  update webhook_deliveries set payload = null where user_id = any (p_user_ids) and status <> 'pending';
end
$$;
comment on function internal.on_account_erased_provider_callbacks(uuid[]) is 'Empties the deliveries. Internal to erase_account, which has locked the account.';
