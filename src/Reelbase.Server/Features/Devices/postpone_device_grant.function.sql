-- Apple could not be asked: the grant stays open and is tried again later, at most p_max_attempts times. After that it is
-- abandoned; the token is stale by then, and the app's next device-check brings a fresh one. A grant whose answer is
-- stored already is never abandoned.
create or replace function postpone_device_grant(
  p_grant_id uuid, p_leased_by text, p_error text, p_retry_after_seconds double precision, p_max_attempts integer)
returns void language plpgsql security definer set search_path = public, pg_temp as $$
declare
  v_grant device_grants;
begin
  update device_grants set last_error = left(p_error, 500), leased_by = null, lease_until = null,
    run_after = clock_timestamp() + make_interval(secs => p_retry_after_seconds),
    stage = case when stage = 'requested' and attempt >= p_max_attempts then 'abandoned' else stage end,
    decided_at = case when stage = 'requested' and attempt >= p_max_attempts then clock_timestamp() end,
    device_token = case when stage = 'requested' and attempt >= p_max_attempts then null else device_token end
  where id = p_grant_id and leased_by = p_leased_by returning * into v_grant;
  -- Apple's outages are nobody's failures.
  update device_checks set outage_count = outage_count + 1, updated_at = now() where device_id = v_grant.device_id;
  perform end_device_grant_turn(p_leased_by);
end
$$;
comment on function postpone_device_grant(uuid, text, text, double precision, integer) is
  'Leaves a grant open for a later attempt and ends the turn.';
