-- How many jobs wait in some lanes (and in those of their retries), no further than p_most: kept where many wait, counted where few do. Retries
-- count that have a key before p_before; null: all.
drop function if exists internal.count_waiting(text, text[], bigint);
create or replace function internal.count_waiting(p_provider text, p_lanes text[], p_most bigint, p_before bigint) returns bigint
language plpgsql stable security definer set search_path = internal, public, pg_temp as $$
declare
  c_all constant bigint := 9223372036854775807;
  v_kept bigint := (select sum(m.waiting) from queue_marks m
    where m.provider = p_provider and m.lane = any (p_lanes) and m.waiting >= 256 and m.marked_at > clock_timestamp() - interval '1 hour');
begin
  if v_kept >= 1000 then
    return least(p_most, v_kept);
  end if;
  return least(p_most, (select count(*) from unnest(p_lanes) l (lane) cross join lateral (
    select from video_jobs j where j.provider = p_provider and j.queue_lane = l.lane and j.stage = 'queued' and j.leased_by is null
      and j.queue_key < case when l.lane like '%\_retry' then coalesce(p_before, c_all) else c_all end limit p_most) a));
end
$$;
comment on function internal.count_waiting(text, text[], bigint, bigint) is 'Jobs that wait in some lanes, at most p_most; retries with a key before p_before. Internal to the queue.';
