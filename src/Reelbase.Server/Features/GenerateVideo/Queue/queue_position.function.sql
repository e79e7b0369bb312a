-- How many waiting jobs will be handed out before this one at its provider, from 0; null when it does not wait (it is being handed over, say). Exact up to 1,000 and within
-- 2 % beyond, at most two seconds old.
create or replace function queue_position(p_job_id uuid) returns integer
language plpgsql stable security definer set search_path = public, pg_temp set plan_cache_mode = force_generic_plan set enable_seqscan = off set jit = off as $$
declare
  v_job record;
  v_is_premium boolean;
  v_is_retry boolean;
  v_before bigint;
  v_rank bigint;
  v_turns bigint;
  v_share bigint;
  v_now timestamptz := clock_timestamp();
begin
  -- By its id alone: asked for those that wait too, a plan may take the index of those and read every one.
  select j.stage, j.provider, j.queue_lane, j.queue_key, j.leased_by, j.lease_until into v_job from video_jobs j where j.job_id = p_job_id;
  if not found or v_job.stage <> 'queued' or v_job.lease_until >= v_now then
    return null;
  end if;
  v_is_premium := v_job.queue_lane like 'premium%';
  v_is_retry := v_job.leased_by is not null or v_job.queue_lane like '%retry';
  -- Few come back, and fewer are a dead worker's: they are counted.
  v_before := case when not v_is_retry then 0 when v_job.leased_by is null then v_job.queue_key else -4611686018427387904 end;
  select count(*) into v_rank
  from unnest(case when v_is_premium then array['premium_retry'] else array['member_retry', 'guest_retry'] end) l (lane)
  cross join lateral (
    select from video_jobs r where r.provider = v_job.provider and r.queue_lane = l.lane and r.stage = 'queued' and r.leased_by is null
      and r.queue_key < v_before limit 1000) a;
  if v_job.leased_by is null then
    v_rank := v_rank + (select count(*) from (
      select from video_jobs h where h.provider = v_job.provider and h.stage = 'queued' and h.leased_by is not null and h.lease_until < v_now
        and (h.queue_lane like 'premium%') = v_is_premium limit 1000) a);
  end if;
  if not v_is_retry then
    v_rank := v_rank + case when v_is_premium then count_ahead(v_job.provider, 'premium', v_job.queue_key)
      else count_ahead(v_job.provider, 'member', v_job.queue_key) + count_ahead(v_job.provider, 'guest', v_job.queue_key) end;
  end if;
  v_turns := coalesce((select s.turns from provider_states s where s.provider = v_job.provider), 0) % 4;
  v_share := case when v_is_premium then (v_turns + v_rank) / 3 else 3 - v_turns + 3 * v_rank end;
  return v_rank + case when v_share = 0 then 0 else count_waiting(v_job.provider, case when v_is_premium
    then array['member', 'guest', 'member_retry', 'guest_retry'] else array['premium', 'premium_retry'] end, v_share) end;
end
$$;
comment on function queue_position(uuid) is 'Waiting jobs ahead of this one at its provider (0 is next); null when not waiting.';
