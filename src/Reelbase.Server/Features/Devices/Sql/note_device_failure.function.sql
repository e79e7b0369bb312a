create or replace function note_device_failure(p_ip inet) returns void
language sql security definer set search_path = internal, public, pg_temp as $$
  insert into rate_limit_log (ip_address, action, created_at)
  values (case when family(p_ip) = 6 then set_masklen(p_ip, 64)::cidr::inet else p_ip end, 'device_check_failed', clock_timestamp())
$$;
comment on function note_device_failure(inet) is 'Counts a token that Apple refused against the address it came from.';
