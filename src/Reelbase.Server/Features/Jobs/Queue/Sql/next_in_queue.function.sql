-- Up to p_room jobs that a provider's queue would hand out next, in order, each lane read from where it was served to. Premium has three places of four while both
-- tiers wait; in a tier, what comes back from an attempt or a dead worker and what is new alternate. p_guests: whether guests are served at all.
create or replace function internal.next_in_queue(p_provider text, p_room integer, p_guests boolean)
returns table (job_id uuid, user_id uuid, lane text, queue_key bigint, is_retry boolean, place bigint)
language plpgsql volatile security definer set search_path = internal, public, pg_temp as $$
#variable_conflict use_column
declare
  v_now timestamptz := clock_timestamp();
  v_due bigint := queue_retry_key(v_now);
begin
  return query
  with found as (
    select j.job_id, j.user_id, l.lane, j.queue_key, l.is_retry, l.is_premium
    from (
      select o.lane, o.lane like 'premium%', o.lane like '%retry', case when o.lane like '%retry' then -4611686018427387904 else coalesce(s.from_key, 0) end,
        case when o.lane like '%retry' then v_due else 9223372036854775807 end
      from unnest(array['premium', 'member', 'guest', 'premium_retry', 'member_retry', 'guest_retry']) o (lane)
      left join queue_lanes s on s.provider = p_provider and s.lane = o.lane
      where p_guests or o.lane not like 'guest%') l (lane, is_premium, is_retry, from_key, to_key)
    cross join lateral (
      select a.job_id, a.user_id, a.queue_key from video_jobs a
      where a.provider = p_provider and a.queue_lane = l.lane and a.stage = 'queued' and a.leased_by is null
        and a.queue_key >= l.from_key and a.queue_key <= l.to_key and a.run_after <= v_now and a.deadline_at > v_now
      order by a.queue_key limit p_room) j
    union all
    (select h.job_id, h.user_id, h.queue_lane, queue_retry_key(h.lease_until), true, h.queue_lane like 'premium%' from video_jobs h
    where h.provider = p_provider and h.stage = 'queued' and h.leased_by is not null and h.lease_until < v_now
      and h.run_after <= v_now and h.deadline_at > v_now and (p_guests or h.queue_lane not like 'guest%')
    order by h.lease_until limit p_room)),
  share as (
    select t.turns % 4 as offset_turns, t.turns / 4 % 2 = 0 as is_retry_first
    from (select coalesce((select s.turns from provider_states s where s.provider = p_provider), 0)) t (turns)),
  -- What comes back and what is new alternate: jobs that are refused again and again must not shut out the rest.
  numbered as (select f.*, row_number() over (partition by f.is_premium, f.is_retry order by f.queue_key, f.job_id) as number from found f),
  ranked as (
    select f.*, row_number() over (partition by f.is_premium order by f.number, (f.is_retry = t.is_retry_first) desc) - 1 as rank,
      count(*) over () as everybody, count(*) filter (where f.is_premium) over () as premiums
    from numbered f, share t)
  select r.job_id, r.user_id, r.lane, r.queue_key, r.is_retry, r.rank + case
    -- Before the premium job of rank r the other tier has had one place for each three of premium that passed.
    when r.is_premium then least((t.offset_turns + r.rank) / 3, r.everybody - r.premiums)
    else least(3 - t.offset_turns + 3 * r.rank, r.premiums) end as place
  from ranked r, share t order by place limit p_room;
end
$$;
comment on function internal.next_in_queue(text, integer, boolean) is 'The jobs that a provider''s queue hands out next, in order. Internal to claim_video_jobs.';
