-- Keeps how long a model's videos of the last day took (the newest 500): the median, which estimates go by, and the 95th percentile. Once a minute at most, and never by two at once.
create or replace function internal.measure_model_seconds(p_model_id uuid) returns void
language plpgsql security definer set search_path = internal, public, pg_temp as $$
begin
  perform 1 from models where id = p_model_id and (seconds_measured_at is null or seconds_measured_at < clock_timestamp() - interval '1 minute')
    for no key update skip locked;
  if not found then
    return;
  end if;
  update models m set usual_seconds = s.usual, slow_seconds = s.slow, seconds_measured_at = clock_timestamp()
  from (select percentile_cont(0.5) within group (order by t.seconds) as usual, percentile_cont(0.95) within group (order by t.seconds) as slow
    from (select extract(epoch from j.completed_at - j.submitted_at)::double precision as seconds from video_jobs j
      where j.completed_at > clock_timestamp() - interval '1 day' and j.model_id = p_model_id and j.status = 'completed' and j.submitted_at is not null
      order by j.completed_at desc limit 500) t) s
  where m.id = p_model_id;
end
$$;
comment on function internal.measure_model_seconds(uuid) is 'Keeps the median and the 95th percentile of a model''s seconds to a video. Internal to complete_video_job.';
