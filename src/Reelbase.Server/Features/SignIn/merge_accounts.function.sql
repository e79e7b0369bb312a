-- Everything a guest has becomes the member's, in one transaction; both rows are locked by the caller, the guest's first.
-- Ledger rows never move: the guest gets merge -n and the member merge +n, and history reads through merged_into. Jobs move with all
-- that hangs on them, before the files: a file that is being announced holds its job's row and is seen here or finds the member.
create or replace function merge_accounts(p_guest_id uuid, p_member_id uuid) returns void
language plpgsql security definer set search_path = public, pg_temp as $$
declare
  v_guest users;
begin
  select * into v_guest from users where id = p_guest_id;
  if v_guest.credits_remaining <> 0 then
    perform write_ledger(p_guest_id, -v_guest.credits_remaining, 'merge', null, null, p_member_id::text);
    perform write_ledger(p_member_id, v_guest.credits_remaining, 'merge', null, null, p_guest_id::text);
  end if;
  perform settle_promo_merge(p_guest_id, p_member_id);
  update video_jobs set user_id = p_member_id where user_id = p_guest_id;
  update job_submissions set user_id = p_member_id where user_id = p_guest_id;
  update storage_objects set user_id = p_member_id where user_id = p_guest_id;
  update uploads set user_id = p_member_id where user_id = p_guest_id;
  -- A press that the guest made and repeats as the member finds its answer and is not charged again.
  update idempotency_log g set user_id = p_member_id where g.user_id = p_guest_id
    and not exists (select from idempotency_log m where m.user_id = p_member_id and m.idempotency_key = g.idempotency_key);
  update purchases set user_id = p_member_id where user_id = p_guest_id;
  update users m set app_transactions = bound_app_transactions(g.app_transactions || m.app_transactions)
  from users g where m.id = p_member_id and g.id = p_guest_id and g.app_transactions <> '{}';
  update purchase_claims g set user_id = p_member_id where g.user_id = p_guest_id
    and not exists (select from purchase_claims m where m.user_id = p_member_id and m.transaction_id = g.transaction_id);
  update user_consents g set user_id = p_member_id where g.user_id = p_guest_id
    and not exists (select from user_consents m where m.user_id = p_member_id and m.kind = g.kind and m.version = g.version and m.withdrawn_at is null);
  update apple_authorizations set user_id = p_member_id where user_id = p_guest_id;
  update content_reports set user_id = p_member_id where user_id = p_guest_id;
  -- In the order in which whoever works on these rows locks them: two orders would deadlock.
  -- One phone that both have been on is rung once about few credits; whether they still are few is asked when it is claimed. Of the two the one that a worker
  -- may be sending stays: to remove it would call nothing back, and the other would ring as well. Locked first, so that a claim is seen or comes after.
  perform from push_notifications where user_id in (p_guest_id, p_member_id) and event = 'low_credits' and status = 'pending' order by id for update;
  delete from push_notifications n using push_notifications o
  where n.user_id in (p_guest_id, p_member_id) and n.event = 'low_credits' and n.status = 'pending'
    and o.user_id in (p_guest_id, p_member_id) and o.event = 'low_credits' and o.status = 'pending' and o.token = n.token and o.user_id <> n.user_id
    and (n.leased_by is null, n.user_id = p_guest_id) > (o.leased_by is null, o.user_id = p_guest_id);
  update push_notifications set user_id = p_member_id where user_id = p_guest_id;
  update push_tokens set user_id = p_member_id where user_id = p_guest_id;
  update device_grants set user_id = p_member_id where user_id = p_guest_id;
  update device_checks set user_id = p_member_id where user_id = p_guest_id;
  update device_keys set user_id = p_member_id where user_id = p_guest_id;
  update webhook_deliveries set user_id = p_member_id where user_id = p_guest_id;
  update rate_limit_log set user_id = p_member_id where user_id = p_guest_id;
  update users set
    credits_total = least(2147483647, credits_total::bigint + v_guest.credits_total),
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
  perform merge_age_bands(p_guest_id, p_member_id);
end
$$;
comment on function merge_accounts(uuid, uuid) is 'Moves everything of a guest to a member, and the balance through two ledger rows. Internal to the definer functions.';
