-- For many device-checks at once, from addresses that were over their limit of new devices a moment ago: which of them open_device would still refuse for that,
-- and for how long. Reads only, takes no lock and raises nothing, since this is what a flood of new devices costs. A call that is not listed goes the usual way:
-- one whose id opens somebody, which is a repetition, or whose window has moved on.
-- The arrays belong together by position (place).
create or replace function confirm_device_limit(
  p_device_ids text[], p_device_tokens text[], p_ips inet[], p_new_devices_limit integer, p_window_seconds integer)
returns table (place integer, rate_limit integer, retry_after_seconds integer)
-- PL/pgSQL keeps its plan, which costs more than what it reads; made while the tables are small, it would read all of them for as long as the connection lives.
-- Where a table has no index the forbidden reading counts as dear, which must not have the query compiled.
language plpgsql stable security definer set search_path = internal, public, pg_temp set enable_seqscan = off set jit = off as $$
#variable_conflict use_column
begin
  return query
  select a.place::integer, p_new_devices_limit,
    greatest(1, ceil(extract(epoch from coalesce(r.oldest, now()) + make_interval(secs => p_window_seconds) - now())))::integer
  from unnest(p_device_ids, p_device_tokens, p_ips) with ordinality a (device_id, device_token, ip, place)
  cross join lateral (select case when family(a.ip) = 6 then set_masklen(a.ip, 64)::cidr::inet else coalesce(a.ip, '0.0.0.0') end as network) n
  cross join lateral (
    -- Compared whole, as in check_rate_limit.
    select count(*) as used, min(l.created_at) as oldest from rate_limit_log l
    where l.ip_address = n.network and l.action = 'device_check_new'
      and (l.ip_address, l.action, l.created_at) > (n.network, 'device_check_new', now() - make_interval(secs => p_window_seconds))) r
  where r.used >= p_new_devices_limit
    -- Its form of an earlier release too (adopt_device_id).
    and not (opens_known_guest(a.device_id) and exists (select from users u where u.device_id in (device_id_hash(a.device_id), lower(a.device_id))))
    and not exists (
      select from device_openings o
      where o.token_hash = sha256(convert_to(a.device_token, 'UTF8')) and o.device_hash = decode(substr(device_id_hash(a.device_id), 8), 'hex'));
end
$$;
comment on function confirm_device_limit(text[], text[], inet[], integer, integer) is
  'Which of many device-checks are of unknown devices from addresses that are still over their limit: place in the arrays, limit, seconds. Reads only.';
