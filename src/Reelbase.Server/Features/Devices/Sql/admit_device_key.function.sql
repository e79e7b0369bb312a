-- Whether a device-check may open the known guest of its id, as far as keys say. p_key: null when the app sent no App Attest and none is asked for; else asks_keys,
-- and for a verified attestation or assertion its key_id. The first key of an id joins freely: until then the id has been opened without one. A further one joins with proof.
-- p_may_keep: Apple has accepted the DeviceCheck token, so that what is decided here is kept.
create or replace function internal.admit_device_key(p_device_hash text, p_known_id uuid, p_key jsonb, p_may_keep boolean) returns boolean
language plpgsql security definer set search_path = internal, public, pg_temp as $$
declare
  v_key_id bytea := decode(p_key ->> 'key_id', 'hex');
  v_has_keys boolean := exists (select from device_keys k where k.device_hash = p_device_hash and k.is_joined);
begin
  if not coalesce((p_key ->> 'asks_keys')::boolean, false) then
    return true;
  elsif v_key_id is null then
    return not v_has_keys;
  elsif exists (select from device_keys k where k.key_id = v_key_id and k.device_hash = p_device_hash and k.is_joined) then
    return true;
  elsif exists (select from device_keys k where k.key_id = v_key_id and k.device_hash <> p_device_hash)
    or v_has_keys and not may_join_device_key(p_known_id, p_key) then
    return false;
  end if;
  if p_may_keep then
    perform keep_device_key(p_device_hash, p_known_id, p_key, true);
  end if;
  return true;
end
$$;
comment on function internal.admit_device_key(text, uuid, jsonb, boolean) is
  'Whether the keys of a device id let a device-check open its guest; joins a key that may. Internal to the device functions.';
