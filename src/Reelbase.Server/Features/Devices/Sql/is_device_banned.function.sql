create or replace function is_device_banned(p_device_id text) returns boolean
language sql stable security definer set search_path = internal, public, pg_temp as $$
  select coalesce((select 'banned_phone' = any (d.fraud_flags) from device_checks d
    where d.device_id = device_id_hash(p_device_id) or (d.device_id = case when opens_known_guest(p_device_id) then lower(p_device_id) else p_device_id end and p_device_id !~ '^sha256:')
    order by d.device_id !~ '^sha256:' limit 1), false)
$$;
comment on function is_device_banned(text) is 'Whether Apple marks the phone behind a device id as banned, as far as we have heard.';
