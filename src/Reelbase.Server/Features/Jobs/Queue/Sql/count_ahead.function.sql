-- How many jobs of a lane wait before a key. Short lanes are counted; in long ones the mark before the key says it, less what was served since, and the jobs behind the mark are
-- counted (up to a rank of some 3,000) or taken as half of what is between two marks (at most 1 % off).
create or replace function internal.count_ahead(p_provider text, p_lane text, p_key bigint) returns integer
language plpgsql stable security definer set search_path = internal, public, pg_temp as $$
declare
  v_marks queue_marks;
  v_served bigint;
  v_index integer;
  v_base integer := 0;
  v_gap integer;
  v_from bigint := 0;
  -- Without marks there is no other way than to count; with them no more can have come since than is worth counting.
  v_most integer := 100000;
begin
  select * into v_marks from queue_marks m where m.provider = p_provider and m.lane = p_lane and m.waiting >= 256 and m.marked_at > clock_timestamp() - interval '1 hour';
  if found then
    v_most := 1000;
    v_index := width_bucket(p_key, v_marks.keys);
    if v_index > 0 then
      select l.served into v_served from queue_lanes l where l.provider = p_provider and l.lane = p_lane;
      v_base := greatest(0, v_marks.ranks[v_index] - (coalesce(v_served, v_marks.served) - v_marks.served));
      v_from := v_marks.keys[v_index];
      v_gap := coalesce(v_marks.ranks[v_index + 1], v_marks.waiting) - v_marks.ranks[v_index];
      if v_gap > 64 then
        return v_base + v_gap / 2;
      end if;
    end if;
  end if;
  return v_base + (select count(*) from (
    select from video_jobs j
    where j.provider = p_provider and j.queue_lane = p_lane and j.stage = 'queued' and j.leased_by is null and j.queue_key >= v_from and j.queue_key < p_key
    limit v_most) a);
end
$$;
comment on function internal.count_ahead(text, text, bigint) is 'Jobs of a lane before a key: exact up to 1,024, within 1 % beyond. Internal to queue_position.';
