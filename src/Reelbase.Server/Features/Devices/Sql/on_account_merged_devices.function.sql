-- What is known of a phone counts for the account that it has become part of.
create or replace function internal.on_account_merged_devices(p_guest_id uuid, p_member_id uuid) returns void
language plpgsql set search_path = internal, public, pg_temp as $$
begin
  update device_grants set user_id = p_member_id where user_id = p_guest_id;
  update device_checks set user_id = p_member_id where user_id = p_guest_id;
  update device_keys set user_id = p_member_id where user_id = p_guest_id;
end
$$;
comment on function internal.on_account_merged_devices(uuid, uuid) is 'Moves grants, checks and keys of phones. Internal to merge_accounts, which has locked both accounts.';
