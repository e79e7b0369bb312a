-- How many waiting jobs will be handed out before this one at its provider, from 0; null when it does not wait (it is being handed over, say). Exact up to 1,000 and within
-- 2 % beyond, at most two seconds old. Short lanes are counted; in long ones the mark before the key says the rank, less what was served since, and the jobs behind the mark are counted (up to a rank of
-- 1,024) or taken as half of what is between two marks. One function, since a call of another costs as much as what it asks.
create or replace function queue_position(p_job_id uuid) returns integer
language plpgsql stable security definer set search_path = public, pg_temp set plan_cache_mode = force_generic_plan set enable_seqscan = off set jit = off as $$
declare
  v_now timestamptz := clock_timestamp();
  v_job record;
  v_lane record;
  v_is_premium boolean;
  v_is_retry boolean;
  v_before bigint;
  v_retries bigint;
  v_rank bigint := 0;
  v_is_retry_first boolean;
  v_gap integer;
  v_kept bigint := 0;
  v_share bigint;
begin
  -- By its id alone: asked for those that wait too, a plan may take the index of those and read every one.
  select j.stage, j.provider, j.queue_lane, j.queue_key, j.leased_by, j.lease_until, coalesce(s.turns, 0) as turns into v_job
  from video_jobs j left join provider_states s on s.provider = j.provider where j.job_id = p_job_id;
  if not found or v_job.stage <> 'queued' or v_job.lease_until >= v_now then
    return null;
  end if;
  v_is_premium := starts_with(v_job.queue_lane, 'premium');
  v_is_retry := v_job.leased_by is not null or v_job.queue_key < 0;
  -- What is put off for longer (its model is paused) is ahead of nobody and has no place.
  v_before := queue_retry_key(v_now + interval '1 minute');
  if v_job.queue_key between v_before and -1 then
    return null;
  elsif v_is_retry then
    v_before := case when v_job.leased_by is null then v_job.queue_key else -4611686018427387904 end;
  end if;
  -- Few come back, and fewer are a dead worker's: they are counted.
  select count(*) into v_retries from (
    (select from video_jobs r where r.provider = v_job.provider and r.queue_lane = case when v_is_premium then 'premium_retry' else 'member_retry' end
      and r.stage = 'queued' and r.leased_by is null and r.queue_key < v_before limit 1000)
    union all
    (select from video_jobs r where r.provider = v_job.provider and r.queue_lane = case when v_is_premium then '' else 'guest_retry' end
      and r.stage = 'queued' and r.leased_by is null and r.queue_key < v_before limit 1000)
    union all
    (select from video_jobs h where h.provider = v_job.provider and h.stage = 'queued' and h.leased_by is not null and h.lease_until < v_now
      and v_job.leased_by is null and starts_with(h.queue_lane, 'premium') = v_is_premium limit 1000)) a;

  for v_lane in
    select l.lane, m.waiting, m.served as marked, coalesce(q.served, m.served) as served, m.keys[i.mark] as from_key, m.ranks[i.mark] as rank, m.ranks[i.mark + 1] as next_rank
    from unnest(array['premium', 'member', 'guest']) l (lane)
    left join queue_marks m on m.provider = v_job.provider and m.lane = l.lane and m.waiting >= 256 and m.marked_at > v_now - interval '1 hour'
    left join queue_lanes q on q.provider = m.provider and q.lane = m.lane
    cross join lateral (select width_bucket(v_job.queue_key, m.keys)) i (mark)
  loop
    if (v_lane.lane = 'premium') <> v_is_premium then
      v_kept := v_kept + coalesce(v_lane.waiting, 0);
      continue;
    end if;
    continue when v_is_retry;
    v_gap := coalesce(v_lane.next_rank, v_lane.waiting) - v_lane.rank;
    v_rank := v_rank + coalesce(greatest(0, v_lane.rank - (v_lane.served - v_lane.marked)), 0) + case when v_gap > 64 then v_gap / 2 else (
      select count(*) from (
        select from video_jobs j
        where j.provider = v_job.provider and j.queue_lane = v_lane.lane and j.stage = 'queued' and j.leased_by is null
          and j.queue_key >= coalesce(v_lane.from_key, 0) and j.queue_key < v_job.queue_key
        -- Without marks there is no other way than to count; with them no more can have come since than is worth counting.
        limit case when v_lane.waiting is null then 100000 else 1000 end) a) end;
  end loop;

  -- In a tier, what comes back and what is new take turns.
  v_is_retry_first := v_job.turns / 4 % 2 = 0;
  if v_is_retry then
    v_share := v_retries + (not v_is_retry_first)::integer;
    v_rank := v_retries + case when v_share = 0 then 0 else count_waiting(v_job.provider,
      case when v_is_premium then array['premium'] else array['member', 'guest'] end, v_share) end;
  else
    v_rank := v_rank + least(v_retries, v_rank + v_is_retry_first::integer);
  end if;
  v_share := case when v_is_premium then (v_job.turns % 4 + v_rank) / 3 else 3 - v_job.turns % 4 + 3 * v_rank end;
  if v_kept < 1000 and v_share > 0 then
    v_kept := count_waiting(v_job.provider, case when v_is_premium
      then array['member', 'guest', 'member_retry', 'guest_retry'] else array['premium', 'premium_retry'] end, v_share);
  end if;
  return v_rank + least(v_share, v_kept);
end
$$;
comment on function queue_position(uuid) is 'Waiting jobs ahead of this one at its provider (0 is next); null when not waiting.';
