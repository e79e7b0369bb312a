-- A provider's queue in figures: its places and who holds them, how many wait, since when, and how long a newcomer would.
create or replace function describe_queue(p_provider text) returns jsonb
language sql stable security definer set search_path = public, pg_temp as $$
  select jsonb_build_object('provider', p_provider, 'places', s.places, 'held', h.held, 'ambiguous', h.ambiguous, 'waiting', w.waiting,
    'oldest_seconds', w.oldest_seconds, 'expected_seconds', case when w.waiting = 0 and h.held < s.places then 0
      else ceil((w.waiting + h.held + 1 - s.places)::numeric / greatest(s.places, 1) * w.usual_seconds::numeric)::integer end,
    'is_starving', w.waiting > 0 and h.held >= s.places and w.oldest_seconds > greatest(60, 2 * w.usual_seconds))
  from (select coalesce((select p.places from provider_states p where p.provider = p_provider), 1) as places) s,
    (select count(*) filter (where holds_place(j)) as held, count(*) filter (where j.stage = 'ambiguous') as ambiguous
      from video_jobs j where j.provider = p_provider and j.stage <> 'finished' and (j.stage <> 'queued' or j.lease_until >= clock_timestamp())) h,
    (select count(*) as waiting, coalesce(extract(epoch from clock_timestamp() - min(j.created_at))::integer, 0) as oldest_seconds,
        coalesce(avg(coalesce(m.usual_seconds, 60)), 60) as usual_seconds
      from video_jobs j left join models m on m.id = j.model_id
      where j.provider = p_provider and j.stage = 'queued' and (j.lease_until is null or j.lease_until < clock_timestamp())) w
$$;
comment on function describe_queue(text) is
  '{"provider","places","held","ambiguous","waiting","oldest_seconds","expected_seconds","is_starving"}. Internal to the overview, alerts and the job page.';
