-- A delivery belongs to the user of its job.
create or replace function internal.on_account_merged_provider_callbacks(p_guest_id uuid, p_member_id uuid) returns void
language plpgsql set search_path = internal, public, pg_temp as $$
begin
  update webhook_deliveries set user_id = p_member_id where user_id = p_guest_id;
end
$$;
comment on function internal.on_account_merged_provider_callbacks(uuid, uuid) is 'Moves the deliveries. Internal to merge_accounts, which has locked both accounts.';
