-- A guest without credits for a phone whose DeviceCheck token is good, but which has not proven to be the one that the device id belongs to: the guest of this very
-- key or of this very call, when there is one; else a new one. Nothing merges them into the id's guest but signing in with Apple, or a later proof by their key.
-- A new one counts as a new device of its address, and an id has a handful of them in ten minutes: else whoever knows an id makes guests without end.
drop function if exists internal.open_keyless_guest(text, uuid, uuid, jsonb);
create or replace function internal.open_keyless_guest(
  p_device_hash text, p_known_id uuid, p_repeater_id uuid, p_key jsonb, p_ip inet, p_new_devices_limit integer, p_window_seconds integer) returns uuid
language plpgsql security definer set search_path = internal, public, pg_temp as $$
declare
  c_max_for_device constant integer := 20;
  c_window_seconds constant integer := 600;
  v_id uuid;
  v_rate record;
begin
  select u.id into v_id from device_keys k join users u on u.id = k.user_id
  where k.key_id = decode(p_key ->> 'key_id', 'hex') and k.device_hash = p_device_hash and not k.is_joined
    and u.is_guest and u.merged_into is null and u.deleted_at is null and u.banned_at is null and u.id <> p_known_id;
  -- A temporary guest becomes part of the id's guest: whoever repeats the call that opened one, without its key, gets another guest.
  if v_id is null and p_repeater_id is distinct from p_known_id and not exists (select from temporary_guests t where t.user_id = p_repeater_id) then
    v_id := p_repeater_id;
  end if;
  if v_id is null then
    if (select count(distinct o.user_id) from device_openings o
        where o.device_hash = decode(substr(p_device_hash, 8), 'hex') and o.opened_at > clock_timestamp() - make_interval(secs => c_window_seconds)
          and o.user_id <> p_known_id and not exists (select from temporary_guests t where t.user_id = o.user_id)) >= c_max_for_device then
      perform raise_error('ERR_4004', jsonb_build_object('limit', c_max_for_device, 'scope', 'device', 'retry_after_seconds', c_window_seconds));
    end if;
    select * into v_rate from check_rate_limit('device_check_new', null, p_ip, p_new_devices_limit, p_window_seconds);
    if not v_rate.allowed then
      perform raise_error('ERR_4004', jsonb_build_object('limit', p_new_devices_limit, 'scope', 'address',
        'retry_after_seconds', greatest(1, ceil(extract(epoch from v_rate.reset_at - clock_timestamp())))::integer));
    end if;
    insert into users (is_guest) values (true) returning id into v_id;
  end if;
  perform keep_device_key(p_device_hash, v_id, p_key, false);
  return v_id;
end
$$;
comment on function internal.open_keyless_guest(text, uuid, uuid, jsonb, inet, integer, integer) is
  'The guest without credits of a phone that has no key of its device id. Raises ERR_4004. Internal to the device functions.';
