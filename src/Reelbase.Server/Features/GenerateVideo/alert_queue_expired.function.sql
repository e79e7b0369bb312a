-- A job was never handed over: said at once, once an hour for each provider, with what its queue is like.
create or replace function alert_queue_expired(p_provider text) returns void
language plpgsql security definer set search_path = public, pg_temp as $$
declare
  v_queue jsonb := describe_queue(p_provider);
begin
  perform raise_alert('queue_expired', p_provider || ':' || to_char(clock_timestamp() at time zone 'UTC', 'YYYY-MM-DD"T"HH24'),
    format('Jobs expire in the queue of %s without having been sent, and are refunded. %s of its %s places are held (%s submissions are ambiguous), %s jobs wait, the oldest since %s s. '
      'See the overview in the console; more places: its setting Concurrency.',
      p_provider, v_queue ->> 'held', v_queue ->> 'places', v_queue ->> 'ambiguous', v_queue ->> 'waiting', v_queue ->> 'oldest_seconds'));
end
$$;
comment on function alert_queue_expired(text) is 'Alerts that jobs of a provider expire unsent, once an hour. Internal to end_video_job.';
