-- How many waiting jobs will be handed out before this one at its provider, from 0; null when it does not wait (it is being handed over, say) or is put off for more than a minute. Exact up to 1,000
-- and within 2 % beyond, at most two seconds old up to some hundred thousand jobs.
create or replace function internal.queue_position(p_job_id uuid) returns integer
language plpgsql stable security definer set search_path = internal, public, pg_temp set plan_cache_mode = force_generic_plan set enable_seqscan = off set jit = off as $$
declare
  v_now timestamptz := clock_timestamp();
  v_job record;
  v_is_premium boolean;
  v_is_retry boolean;
  v_before bigint;
  v_retries bigint;
  v_rank bigint := 0;
  v_is_retry_first boolean;
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
  -- What is put off for longer (its model is paused) is ahead of nobody in its tier and has no place.
  v_before := queue_retry_key(v_now + interval '1 minute');
  if v_job.queue_key between v_before and -1 then
    return null;
  elsif v_is_retry then
    -- A dead worker's job has come back when its lease ended.
    v_before := case when v_job.leased_by is null then v_job.queue_key else queue_retry_key(v_job.lease_until) end;
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
      and queue_retry_key(h.lease_until) < v_before and starts_with(h.queue_lane, 'premium') = v_is_premium limit 1000)) a;

  if not v_is_retry then
    v_rank := case when v_is_premium then count_ahead(v_job.provider, 'premium', v_job.queue_key)
      else count_ahead(v_job.provider, 'member', v_job.queue_key) + count_ahead(v_job.provider, 'guest', v_job.queue_key) end;
  end if;
  -- In a tier, what comes back and what is new alternate.
  v_is_retry_first := v_job.turns / 4 % 2 = 0;
  if v_is_retry then
    v_share := v_retries + (not v_is_retry_first)::integer;
    v_rank := v_retries + case when v_share = 0 then 0 else count_waiting(v_job.provider,
      case when v_is_premium then array['premium'] else array['member', 'guest'] end, v_share, null) end;
  else
    v_rank := v_rank + least(v_retries, v_rank + v_is_retry_first::integer);
  end if;
  v_share := case when v_is_premium then (v_job.turns % 4 + v_rank) / 3 else 3 - v_job.turns % 4 + 3 * v_rank end;
  -- What is put off is ahead of nobody in the other tier either.
  return v_rank + case when v_share = 0 then 0 else count_waiting(v_job.provider, case when v_is_premium
    then array['member', 'guest', 'member_retry', 'guest_retry'] else array['premium', 'premium_retry'] end, v_share, queue_retry_key(v_now + interval '1 minute')) end;
end
$$;
comment on function internal.queue_position(uuid) is 'Waiting jobs ahead of this one at its provider (0 is next); null when it does not wait or is put off for more than a minute.';
