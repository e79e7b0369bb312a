-- Keeps a key that was attested a moment ago, or notes whom a known one opens. p_key: key_id, public_key (hexadecimal), app_id, environment, category, max_keys.
-- Without public_key the key is there already. Keys over max_keys go, those that were unused for longest first; a key that has not joined never takes the place of one that has.
create or replace function internal.keep_device_key(p_device_hash text, p_user_id uuid, p_key jsonb, p_is_joined boolean) returns void
language plpgsql security definer set search_path = internal, public, pg_temp as $$
declare
  v_key_id bytea := decode(p_key ->> 'key_id', 'hex');
begin
  if v_key_id is null then
    return;
  end if;
  if p_key ->> 'public_key' is null then
    update device_keys set user_id = case when is_joined and not p_is_joined then user_id else p_user_id end, is_joined = is_joined or p_is_joined, last_used_at = clock_timestamp()
    where key_id = v_key_id and device_hash = p_device_hash;
  else
    insert into device_keys as k (key_id, device_hash, user_id, is_joined, public_key, app_id, environment, category)
    values (v_key_id, p_device_hash, p_user_id, p_is_joined, decode(p_key ->> 'public_key', 'hex'), p_key ->> 'app_id', p_key ->> 'environment',
      (p_key ->> 'category')::integer)
    on conflict (key_id) do update set
      user_id = case when k.is_joined and not excluded.is_joined then k.user_id else excluded.user_id end, is_joined = k.is_joined or excluded.is_joined, last_used_at = clock_timestamp()
    where k.device_hash = excluded.device_hash;
  end if;
  delete from device_keys where key_id in (
    select k.key_id from device_keys k where k.device_hash = p_device_hash and k.is_joined = p_is_joined
    order by k.last_used_at desc, k.key_id offset (p_key ->> 'max_keys')::integer);
end
$$;
comment on function internal.keep_device_key(text, uuid, jsonb, boolean) is
  'Keeps an attested key of a device id, or whom it opens, within the bound of keys. Internal to the device functions.';
