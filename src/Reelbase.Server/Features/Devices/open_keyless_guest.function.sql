-- A guest without credits for a phone whose DeviceCheck token is good, but which has not proven to be the one that the device id belongs to: the guest of this very
-- key or of this very call, when there is one; else a new one. Nothing joins them to the id's guest but signing in with Apple, or a later proof by their key.
create or replace function open_keyless_guest(p_device_hash text, p_known_id uuid, p_repeater_id uuid, p_key jsonb) returns uuid
language plpgsql security definer set search_path = public, pg_temp as $$
declare
  v_id uuid;
begin
  select u.id into v_id from device_keys k join users u on u.id = k.user_id
  where k.key_id = decode(p_key ->> 'key_id', 'hex') and k.device_hash = p_device_hash and not k.is_joined
    and u.is_guest and u.merged_into is null and u.deleted_at is null and u.banned_at is null and u.id <> p_known_id;
  -- A temporary guest becomes part of the id's guest: whoever repeats the call that opened one, without its key, gets another guest.
  if v_id is null and p_repeater_id is distinct from p_known_id and not exists (select from temporary_guests t where t.user_id = p_repeater_id) then
    v_id := p_repeater_id;
  end if;
  if v_id is null then
    insert into users (is_guest) values (true) returning id into v_id;
  end if;
  perform keep_device_key(p_device_hash, v_id, p_key, false);
  return v_id;
end
$$;
comment on function open_keyless_guest(text, uuid, uuid, jsonb) is
  'The guest without credits of a phone that has no key of its device id. Internal to the device functions.';
