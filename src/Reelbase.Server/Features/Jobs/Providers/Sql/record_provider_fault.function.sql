-- A provider is not working (unreachable) or does not accept our account (account): nothing is submitted to it for a
-- while, on any node, and the operator is notified once an hour. Jobs keep their places in the queue.
create or replace function record_provider_fault(p_provider text, p_fault text, p_detail text, p_pause_seconds double precision)
returns boolean language plpgsql security definer set search_path = internal, public, pg_temp as $$
declare
  v_state provider_states;
begin
  insert into provider_states as s (provider, fault, detail, failing_since, paused_until)
  values (p_provider, p_fault, left(p_detail, 500), clock_timestamp(), clock_timestamp() + make_interval(secs => p_pause_seconds))
  on conflict (provider) do update set
    -- Our own fault is the one to report: a provider that says "your key is wrong" is reachable.
    fault = case when s.fault = 'account' and excluded.fault = 'unreachable' then s.fault else excluded.fault end,
    detail = excluded.detail, failing_since = coalesce(s.failing_since, excluded.failing_since),
    paused_until = greatest(s.paused_until, excluded.paused_until), updated_at = clock_timestamp()
  returning * into v_state;
  return raise_alert(
    case v_state.fault when 'account' then 'provider_account' else 'provider_outage' end,
    p_provider || ':' || to_char(clock_timestamp() at time zone 'UTC', 'YYYY-MM-DD HH24'),
    case v_state.fault
      when 'account' then format('%s refuses our account (%s). Check its key and balance; jobs wait until their deadline.', p_provider, p_detail)
      else format('%s is not answering (%s). Jobs wait until their deadline.', p_provider, p_detail) end);
end
$$;
comment on function record_provider_fault(text, text, text, double precision) is
  'Pauses submissions to a provider for p_pause_seconds; true when this outage is news.';
