-- Apple could not be asked, or could not be heard: the grant stays open and is tried again later, at most p_max_attempts times. After that it is
-- abandoned; the token is stale by then, and the app's next device-check brings a fresh one. A stored answer is not kept over the pause: others
-- decide their grants meanwhile, so Apple is asked anew, and bit_attempted_at remembers that the bit may be our own doing.
create or replace function postpone_device_grant(
  p_grant_id uuid, p_leased_by text, p_error text, p_retry_after_seconds double precision, p_max_attempts integer)
returns void language plpgsql security definer set search_path = internal, public, pg_temp as $$
declare
  v_grant device_grants;
begin
  if not holds_device_grant_turn(p_leased_by) then
    return;
  end if;
  update device_grants set last_error = left(p_error, 500), leased_by = null, lease_until = null,
    run_after = clock_timestamp() + make_interval(secs => p_retry_after_seconds),
    bit_attempted_at = case when stage = 'queried' then clock_timestamp() else bit_attempted_at end,
    bit0 = case when stage = 'queried' then null else bit0 end,
    bit1 = case when stage = 'queried' then null else bit1 end,
    stage = case
      when stage = 'bit_set' then stage
      when attempt >= p_max_attempts then 'abandoned'
      else 'requested' end,
    decided_at = case when stage <> 'bit_set' and attempt >= p_max_attempts then clock_timestamp() end,
    device_token = case when stage <> 'bit_set' and attempt >= p_max_attempts then null else device_token end
  where id = p_grant_id and leased_by = p_leased_by and decided_at is null returning * into v_grant;
  -- Apple's outages are nobody's failures.
  update device_checks set outage_count = outage_count + 1, updated_at = now() where device_id in (v_grant.device_id, stored_device_id(v_grant.device_id));
  perform end_device_grant_turn(p_leased_by);
end
$$;
comment on function postpone_device_grant(uuid, text, text, double precision, integer) is
  'Leaves a grant open for a later attempt and ends the turn; nothing when the turn was lost.';
