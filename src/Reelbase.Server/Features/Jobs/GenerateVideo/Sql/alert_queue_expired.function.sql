-- A job was never handed over: said at once, once an hour for each provider, with what its queue is like.
create or replace function internal.alert_queue_expired(p_provider text) returns void
language plpgsql security definer set search_path = internal, public, pg_temp as $$
declare
  v_key text := p_provider || ':' || to_char(clock_timestamp() at time zone 'UTC', 'YYYY-MM-DD"T"HH24');
  v_queue jsonb;
begin
  -- Many expire at once: the queue is counted for the first of them only.
  if exists (select from alerts a where a.kind = 'queue_expired' and a.dedupe_key = v_key) then
    return;
  end if;
  v_queue := describe_queue(p_provider);
  perform raise_alert('queue_expired', v_key,
    format('Jobs expire in the queue of %s without having been sent, and are refunded. %s of its %s places are held (%s submissions are ambiguous), %s jobs wait, the oldest since %s s. '
      'See the overview in the console; more places: its setting Concurrency.',
      p_provider, v_queue ->> 'held', v_queue ->> 'places', v_queue ->> 'ambiguous', v_queue ->> 'waiting', v_queue ->> 'oldest_seconds'));
end
$$;
comment on function internal.alert_queue_expired(text) is 'Alerts that jobs of a provider expire unsent, once an hour. Internal to end_video_job.';
