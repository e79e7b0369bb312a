-- Apple's tokens belong to the account that they are revoked with.
create or replace function internal.on_account_merged_sign_in(p_guest_id uuid, p_member_id uuid) returns void
language plpgsql set search_path = internal, public, pg_temp as $$
begin
  update apple_authorizations set user_id = p_member_id where user_id = p_guest_id;
end
$$;
comment on function internal.on_account_merged_sign_in(uuid, uuid) is 'Moves the authorizations of Apple. Internal to merge_accounts, which has locked both accounts.';
