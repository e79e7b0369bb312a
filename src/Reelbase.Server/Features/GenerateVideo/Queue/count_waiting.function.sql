-- How many jobs wait in some lanes (and in those of their retries), no further than p_most: kept where many wait, counted where few do.
create or replace function count_waiting(p_provider text, p_lanes text[], p_most bigint) returns bigint
language plpgsql stable security definer set search_path = public, pg_temp as $$
declare
  v_kept bigint := (select sum(m.waiting) from queue_marks m
    where m.provider = p_provider and m.lane = any (p_lanes) and m.waiting >= 256 and m.marked_at > clock_timestamp() - interval '1 hour');
begin
  if v_kept >= 1000 then
    return least(p_most, v_kept);
  end if;
  return least(p_most, (select count(*) from unnest(p_lanes) l (lane) cross join lateral (
    select from video_jobs j where j.provider = p_provider and j.queue_lane = l.lane and j.stage = 'queued' and j.leased_by is null limit p_most) a));
end
$$;
comment on function count_waiting(text, text[], bigint) is 'Jobs that wait in some lanes, at most p_most. Internal to the queue.';
