-- How risky a device (by its stored id) is, 0 to 100, kept on its row. A phone that Apple's bit1 marks: 100. Else 15 for each token that Apple
-- refused in the last 30 days (60 at most), 20 for each flag, and for an address that brought more than twenty refused tokens within
-- the hour 2 for each further one (40 at most: phones share addresses, so an address alone never blocks).
create or replace function internal.assess_device(p_device_id text, p_ip inet) returns integer
-- As in note_device_opening: a plan that is made while the tables are small would read the whole of them for as long as the connection lives.
-- Where a table has no index the forbidden reading counts as dear, which must not have the query compiled.
language plpgsql security definer set search_path = internal, public, pg_temp set enable_seqscan = off set jit = off as $$
declare
  v_score integer := 0;
  v_device device_checks;
begin
  select * into v_device from device_checks where device_id = p_device_id;
  if 'banned_phone' = any (v_device.fraud_flags) then
    return 100;
  end if;
  if v_device.last_failure_at > clock_timestamp() - interval '30 days' then
    v_score := least(60, 15 * v_device.failure_count);
  end if;
  v_score := v_score + 20 * coalesce(cardinality(v_device.fraud_flags), 0);
  v_score := v_score + least(40, 2 * greatest(0, (
    select count(*)::integer - 20 from rate_limit_log r
    where r.ip_address = case when family(p_ip) = 6 then set_masklen(p_ip, 64)::cidr::inet else p_ip end
      and r.action = 'device_check_failed' and r.created_at > clock_timestamp() - interval '1 hour')));
  v_score := least(100, v_score);
  if v_device.risk_score <> v_score then
    update device_checks set risk_score = v_score where device_id = p_device_id and risk_score <> v_score;
  end if;
  return v_score;
end
$$;
comment on function internal.assess_device(text, inet) is 'The risk score of a device at an address, 0 to 100. Internal to the definer functions.';
