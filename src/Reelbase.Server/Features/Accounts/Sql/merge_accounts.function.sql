-- Everything a guest has becomes the member's, in one transaction; both rows are locked by the caller, the guest's first. Each feature moves its own
-- rows in on_account_merged_*. Their order is that of the locks of whoever works on these rows: money, then jobs, then what hangs on them.
create or replace function internal.merge_accounts(p_guest_id uuid, p_member_id uuid) returns void
language plpgsql security definer set search_path = internal, public, pg_temp as $$
declare
  v_guest users;
begin
  select * into v_guest from users where id = p_guest_id;
  perform on_account_merged_credits(p_guest_id, p_member_id);
  perform on_account_merged_promo_codes(p_guest_id, p_member_id);
  perform on_account_merged_generate_video(p_guest_id, p_member_id);
  perform on_account_merged_files(p_guest_id, p_member_id);
  perform on_account_merged_purchases(p_guest_id, p_member_id);
  update user_consents g set user_id = p_member_id where g.user_id = p_guest_id
    and not exists (select from user_consents m where m.user_id = p_member_id and m.kind = g.kind and m.version = g.version and m.withdrawn_at is null);
  perform on_account_merged_sign_in(p_guest_id, p_member_id);
  perform on_account_merged_reports(p_guest_id, p_member_id);
  perform on_account_merged_push(p_guest_id, p_member_id);
  perform on_account_merged_devices(p_guest_id, p_member_id);
  perform on_account_merged_provider_callbacks(p_guest_id, p_member_id);
  perform move_request_logs(p_guest_id, p_member_id);
  update users set
    credits_total = least(2147483647, credits_total::bigint + v_guest.credits_total),
    app_transactions = case when v_guest.app_transactions = '{}' then app_transactions
      else bound_app_transactions(v_guest.app_transactions || app_transactions) end,
    -- The tier follows by itself: from the purchases that have moved, and from this.
    premium_granted_by = case when 'admin' in (premium_granted_by, v_guest.premium_granted_by) then 'admin'
      else coalesce(premium_granted_by, v_guest.premium_granted_by) end,
    initial_grant_claimed = initial_grant_claimed or v_guest.initial_grant_claimed,
    user_metadata = case when user_metadata = '{}' then v_guest.user_metadata else user_metadata end,
    updated_at = now()
  where id = p_member_id;
  -- Whoever is part of the guest is part of the member from now on: one step is all that any id takes.
  update users set merged_into = p_member_id, updated_at = now() where id = p_guest_id or merged_into = p_guest_id;
  -- What a guardian took back of the one is taken back of both: sessions and what waits end, whoever is signed in.
  perform apply_rescinded_consent(p_member_id);
  perform on_account_merged_ages(p_guest_id, p_member_id);
end
$$;
comment on function internal.merge_accounts(uuid, uuid) is 'Moves everything of a guest to a member, and the balance through two ledger rows. Internal to the definer functions.';
