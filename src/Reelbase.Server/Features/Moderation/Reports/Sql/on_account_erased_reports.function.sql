-- Support still sees that a video was reported.
create or replace function internal.on_account_erased_reports(p_user_ids uuid[]) returns void
language plpgsql set search_path = internal, public, pg_temp as $$
begin
  update content_reports set user_id = null, reason = 'the user has left' where user_id = any (p_user_ids);
end
$$;
comment on function internal.on_account_erased_reports(uuid[]) is 'Removes who reported, and their words. Internal to erase_account, which has locked the account.';
