-- Ends a grant that nobody could bring to an end, whose row is locked. The app's next device-check brings a fresh token and a new grant, which knows
-- (bit_attempted_at) that the bit may be set already by this one.
create or replace function internal.give_up_device_grant(p_grant_id uuid, p_error text) returns void
language plpgsql security definer set search_path = internal, public, pg_temp as $$
declare
  v_stage text := (select g.stage from device_grants g where g.id = p_grant_id);
  v_grant device_grants;
begin
  update device_grants set stage = 'abandoned', decided_at = clock_timestamp(), device_token = null, last_error = left(p_error, 500),
    bit_attempted_at = case when v_stage in ('queried', 'bit_set') then clock_timestamp() else bit_attempted_at end,
    leased_by = null, lease_until = null
  where id = p_grant_id and decided_at is null returning * into v_grant;
  if v_grant.id is not null then
    perform raise_alert('device_grant_dead', p_grant_id::text,
      format('The free grant of user %s could not be decided (%s); the app''s next device-check starts a new one.', v_grant.user_id, left(p_error, 200)));
  end if;
end
$$;
comment on function internal.give_up_device_grant(uuid, text) is 'Abandons a grant for good and alerts once. Internal to the grant functions.';
