-- Keeps the hash of a challenge that is given out now. p_limit challenges for an address within p_window_seconds (null: unlimited).
create or replace function issue_device_challenge(p_challenge_hash bytea, p_ip inet, p_seconds integer, p_limit integer, p_window_seconds integer)
returns table (rate_limit integer, rate_remaining integer, rate_reset_at timestamptz)
language plpgsql security definer set search_path = internal, public, pg_temp as $$
declare
  -- A used challenge is remembered for a while after its end, so that the log can say "used" instead of "unknown".
  c_memory constant interval := interval '1 hour';
  v_rate record;
begin
  select * into v_rate from check_rate_limit('device_challenge', null, p_ip, p_limit, p_window_seconds);
  if not v_rate.allowed then
    perform raise_error('ERR_4004', jsonb_build_object('limit', p_limit, 'scope', 'address',
      'retry_after_seconds', greatest(1, ceil(extract(epoch from v_rate.reset_at - clock_timestamp())))::integer));
  end if;
  -- A few at each issue keep the table as small as the challenges of the last hour.
  delete from device_challenges where challenge_hash in (
    select c.challenge_hash from device_challenges c where c.expires_at < now() - c_memory order by c.expires_at limit 10 for update skip locked);
  insert into device_challenges (challenge_hash, expires_at) values (p_challenge_hash, clock_timestamp() + make_interval(secs => p_seconds));
  rate_limit := p_limit;
  rate_remaining := v_rate.remaining;
  rate_reset_at := v_rate.reset_at;
  return next;
end
$$;
comment on function issue_device_challenge(bytea, inet, integer, integer, integer) is
  'Keeps the hash of a new challenge and counts it against its address. Raises ERR_4004.';
