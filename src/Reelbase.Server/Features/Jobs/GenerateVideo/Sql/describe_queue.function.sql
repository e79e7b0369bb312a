-- A provider's queue in figures: its places and who holds them, how many wait, since when, and how long a newcomer would.
create or replace function internal.describe_queue(p_provider text) returns jsonb
language sql stable security definer set search_path = internal, public, pg_temp as $$
  select jsonb_build_object('provider', p_provider, 'places', s.places, 'held', h.held, 'ambiguous', h.ambiguous, 'waiting', w.waiting,
    'oldest_seconds', w.oldest_seconds, 'expected_seconds', case when w.waiting = 0 and h.held < s.places then 0
      else ceil((w.waiting + h.held + 1 - s.places)::numeric / greatest(s.places, 1) * w.usual_seconds::numeric)::integer end,
    'is_starving', w.waiting > 0 and h.held >= s.places and w.oldest_seconds > greatest(60, 2 * w.usual_seconds))
  from (select coalesce((select p.places from provider_states p where p.provider = p_provider), 1) as places) s,
    (select count(*) filter (where holds_place(j)) + (select count(*) from video_jobs q
          where q.provider = p_provider and q.stage = 'queued' and q.leased_by is not null and q.lease_until >= clock_timestamp()) as held,
        count(*) filter (where j.stage = 'ambiguous') as ambiguous
      from video_jobs j where j.provider = p_provider and j.stage in ('submitting', 'ambiguous', 'submitted')) h,
    (select count_waiting(p_provider, array['premium', 'member', 'guest', 'premium_retry', 'member_retry', 'guest_retry'], 1000000000, null) as waiting,
        coalesce(extract(epoch from clock_timestamp() - min(j.created_at))::integer, 0) as oldest_seconds,
        coalesce(avg(coalesce(m.usual_seconds, 60)), 60) as usual_seconds
      -- The next thousand of each lane speak for a queue that is longer.
      from unnest(array['premium', 'member', 'guest', 'premium_retry', 'member_retry', 'guest_retry']) l (lane)
      cross join lateral (
        select a.created_at, a.model_id from video_jobs a
        where a.provider = p_provider and a.queue_lane = l.lane and a.stage = 'queued' and a.leased_by is null order by a.queue_key limit 1000) j
      left join models m on m.id = j.model_id) w
$$;
comment on function internal.describe_queue(text) is
  '{"provider","places","held","ambiguous","waiting","oldest_seconds","expected_seconds","is_starving"}. Internal to the overview, alerts and the job page.';
