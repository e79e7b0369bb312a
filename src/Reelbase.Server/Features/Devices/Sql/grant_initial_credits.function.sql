-- Gives the free credits of a claimed grant, once per user, and ends the turn. False when the turn is no longer ours.
create or replace function grant_initial_credits(p_grant_id uuid, p_leased_by text, p_credits integer, p_flag text default null)
returns boolean language plpgsql security definer set search_path = internal, public, pg_temp as $$
declare
  v_grant device_grants;
  v_user users;
begin
  if not holds_device_grant_turn(p_leased_by) then
    return false;
  end if;
  select * into v_grant from device_grants where id = p_grant_id;
  -- The guest may have become part of a member meanwhile; then it is the member whose grant this is.
  v_user := lock_account(v_grant.user_id);
  -- After an unconfirmed bit (p_flag) the answer alone carries the grant.
  update device_grants set stage = case when v_user.initial_grant_claimed or v_user.deleted_at is not null then 'denied' else 'granted' end,
    decided_at = clock_timestamp(), device_token = null, leased_by = null, lease_until = null
  where id = p_grant_id and leased_by = p_leased_by and purpose = 'grant'
    and (stage = 'bit_set' or (stage = 'queried' and p_flag is not null));
  if not found then
    perform end_device_grant_turn(p_leased_by);
    return false;
  end if;
  if not v_user.initial_grant_claimed and v_user.deleted_at is null then
    update users set initial_grant_claimed = true where id = v_user.id;
    perform write_ledger(v_user.id, p_credits, 'initial_grant');
  end if;
  update device_checks set bit0 = true, updated_at = now(),
    fraud_flags = case when p_flag is null then fraud_flags else array_append(array_remove(fraud_flags, p_flag), p_flag) end
  where device_id in (v_grant.device_id, stored_device_id(v_grant.device_id));
  perform end_device_grant_turn(p_leased_by);
  return true;
end
$$;
comment on function grant_initial_credits(uuid, text, integer, text) is
  'Grants the free credits of a claimed grant exactly once per user and ends the turn; false when the turn was lost.';
