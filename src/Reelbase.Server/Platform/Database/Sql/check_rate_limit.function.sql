-- Counts and takes one place in a sliding window, for a user or for an address (IPv6 counts by /64: one subscriber
-- has at least that many; an unknown address is one address). Atomic: what is counted is what is locked, so whoever asks for the same
-- window waits for the other's commit, and parallel calls never overshoot. A refused call takes no place. A null limit means unlimited
-- and writes nothing.
create or replace function check_rate_limit(
  p_action text,
  p_user_id uuid,
  p_ip inet,
  p_limit integer,
  p_window_seconds integer,
  out allowed boolean, out remaining integer, out reset_at timestamptz)
-- As in note_device_opening: a plan that is made while the tables are small would read the whole of them for as long as the connection lives.
-- Where a table has no index the forbidden reading counts as dear, which must not have the query compiled.
language plpgsql security definer set search_path = internal, public, pg_temp set enable_seqscan = off set jit = off as $$
declare
  v_network inet := case when family(p_ip) = 6 then set_masklen(p_ip, 64)::cidr::inet else coalesce(p_ip, '0.0.0.0') end;
  v_since timestamptz;
  v_used integer;
  v_oldest timestamptz;
begin
  if p_limit is null then
    allowed := true;
    return;
  end if;
  if p_limit < 0 or p_window_seconds < 1 then
    raise exception 'check_rate_limit: the limit must be 0 or more and the window at least one second';
  end if;
  -- A user is counted wherever they call from, so the address is no part of their lock.
  perform pg_advisory_xact_lock(hashtextextended(concat_ws('|', 'rate', p_action, coalesce(p_user_id::text, v_network::text)), 0));
  v_since := clock_timestamp() - make_interval(secs => p_window_seconds);
  -- Rows are compared whole, which only the index of all three columns can do: a plan that was made while the table was empty could take the one of
  -- created_at as well, and would read everybody's rows for as long as the connection lives.
  if p_user_id is not null then
    select count(*), min(created_at) into v_used, v_oldest from rate_limit_log
    where user_id = p_user_id and action = p_action and (user_id, action, created_at) > (p_user_id, p_action, v_since);
  else
    select count(*), min(created_at) into v_used, v_oldest from rate_limit_log
    where ip_address = v_network and action = p_action and (ip_address, action, created_at) > (v_network, p_action, v_since);
  end if;
  allowed := v_used < p_limit;
  if allowed then
    insert into rate_limit_log (ip_address, action, user_id, created_at)
    values (v_network, p_action, p_user_id, clock_timestamp());
    v_used := v_used + 1;
  end if;
  remaining := greatest(p_limit - v_used, 0);
  reset_at := coalesce(v_oldest, clock_timestamp()) + make_interval(secs => p_window_seconds);
end
$$;
comment on function check_rate_limit(text, uuid, inet, integer, integer) is
  'Takes one place in a sliding window by user or by address; atomic. Answers allowed, remaining and reset_at.';
