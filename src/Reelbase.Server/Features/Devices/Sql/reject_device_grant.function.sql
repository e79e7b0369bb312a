-- Apple says that the token is none: the grant ends. When the guest was made for this very call (no session, no ledger row, no other
-- open grant) it goes again, so that a refusal changes nothing. Answers whether the caller is to be refused: it is our turn
-- and the guest has nothing that an earlier call gave them.
create or replace function reject_device_grant(p_grant_id uuid, p_leased_by text)
returns boolean language plpgsql security definer set search_path = internal, public, pg_temp as $$
declare
  v_grant device_grants;
  v_token text;
begin
  if not holds_device_grant_turn(p_leased_by) then
    return false;
  end if;
  -- The user row first, as everywhere: the guest may have to go.
  perform 1 from users where id = (select g.user_id from device_grants g where g.id = p_grant_id) for no key update;
  select g.device_token into v_token from device_grants g where g.id = p_grant_id;
  update device_grants set stage = 'rejected', decided_at = clock_timestamp(), device_token = null,
    leased_by = null, lease_until = null
  where id = p_grant_id and leased_by = p_leased_by and stage = 'requested' returning * into v_grant;
  perform end_device_grant_turn(p_leased_by);
  if v_grant.id is null then
    return false;
  end if;
  perform keep_device_verdict(stored_device_id(v_grant.device_id), v_token, 'refused');
  update device_checks set failure_count = failure_count + 1, last_failure_at = clock_timestamp(), updated_at = now() where device_id in (v_grant.device_id, stored_device_id(v_grant.device_id));
  if exists (select from sessions where user_id = v_grant.user_id) or exists (select from quota_log where user_id = v_grant.user_id) then
    return false;
  end if;
  perform delete_unused_guest(v_grant.user_id);
  return true;
end
$$;
comment on function reject_device_grant(uuid, text) is
  'Ends a grant whose token Apple refuses; true when its caller must be refused, false when the turn was lost or the guest has a session already.';
