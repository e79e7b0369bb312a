create or replace function find_device_key(p_key_id bytea, p_device_id text)
returns table (public_key bytea, app_id text, environment text, counter bigint, is_of_device boolean)
language sql stable security definer set search_path = internal, public, pg_temp as $$
  select k.public_key, k.app_id, k.environment, k.counter, k.device_hash = device_id_hash(p_device_id) from device_keys k where k.key_id = p_key_id
$$;
comment on function find_device_key(bytea, text) is 'A key, its last counter, and whether it is one of this device id.';
