-- Apple says that the token is none: the grant ends. When the guest was made for this very call (no session, no other
-- open grant) it goes again, so that a refusal changes nothing. Answers whether the guest is gone.
create or replace function reject_device_grant(p_grant_id uuid, p_leased_by text)
returns boolean language plpgsql security definer set search_path = public, pg_temp as $$
declare
  v_grant device_grants;
  v_gone boolean := false;
begin
  update device_grants set stage = 'rejected', decided_at = clock_timestamp(), device_token = null,
    leased_by = null, lease_until = null
  where id = p_grant_id and leased_by = p_leased_by and stage = 'requested' returning * into v_grant;
  perform end_device_grant_turn(p_leased_by);
  update device_checks set failure_count = failure_count + 1, last_failure_at = clock_timestamp(), updated_at = now() where device_id = v_grant.device_id;
  if not exists (select from sessions where user_id = v_grant.user_id)
    and not exists (select from quota_log where user_id = v_grant.user_id) then
    v_gone := true;
    if not exists (select from device_grants where user_id = v_grant.user_id and decided_at is null) then
      delete from users where id = v_grant.user_id;
    end if;
  end if;
  return v_gone;
end
$$;
comment on function reject_device_grant(uuid, text) is
  'Ends a grant whose token Apple refuses; true when its guest had nothing else and must be refused.';
