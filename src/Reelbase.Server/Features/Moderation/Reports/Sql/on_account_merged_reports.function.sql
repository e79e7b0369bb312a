-- A report keeps its reporter.
create or replace function internal.on_account_merged_reports(p_guest_id uuid, p_member_id uuid) returns void
language plpgsql set search_path = internal, public, pg_temp as $$
begin
  update content_reports set user_id = p_member_id where user_id = p_guest_id;
end
$$;
comment on function internal.on_account_merged_reports(uuid, uuid) is 'Moves the reports. Internal to merge_accounts, which has locked both accounts.';
