-- Rows are changed in the order in which workers lock them: two orders would deadlock.
create or replace function internal.on_account_merged_push(p_guest_id uuid, p_member_id uuid) returns void
language plpgsql set search_path = internal, public, pg_temp as $$
begin
  -- One phone that both have been on is rung once about few credits; whether they still are few is asked when it is claimed. Of the two the one that a worker
  -- may be sending stays: to remove it would call nothing back, and the other would ring as well. Locked first, so that a claim is seen or comes after.
  perform from push_notifications where user_id in (p_guest_id, p_member_id) and event = 'low_credits' and status = 'pending' order by id for update;
  delete from push_notifications n using push_notifications o
  where n.user_id in (p_guest_id, p_member_id) and n.event = 'low_credits' and n.status = 'pending'
    and o.user_id in (p_guest_id, p_member_id) and o.event = 'low_credits' and o.status = 'pending' and o.token = n.token and o.user_id <> n.user_id
    and (n.leased_by is null, n.user_id = p_guest_id) > (o.leased_by is null, o.user_id = p_guest_id);
  update push_notifications set user_id = p_member_id where user_id = p_guest_id;
  update push_tokens set user_id = p_member_id where user_id = p_guest_id;
end
$$;
comment on function internal.on_account_merged_push(uuid, uuid) is 'Moves the pushes and the phones'' tokens. Internal to merge_accounts, which has locked both accounts.';
