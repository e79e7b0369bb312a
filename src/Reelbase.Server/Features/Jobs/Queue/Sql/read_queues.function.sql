-- What a node keeps in memory of queues, so that it can answer positions itself for up to two seconds: of each lane the next 2,048 keys, and where it is longer than that its
-- marks. p_providers: of which; null: of those with a lane that is long enough for marks. Retries are those that are due within a minute, as queue_position counts them.
create or replace function read_queues(p_providers text[] default null) returns table (
  provider text, lane text, turns bigint, retries integer, keys bigint[], mark_keys bigint[], mark_ranks integer[], waiting integer, served_since bigint)
language plpgsql stable security definer set search_path = internal, public, pg_temp set plan_cache_mode = force_generic_plan set enable_seqscan = off set jit = off as $$
#variable_conflict use_column
declare
  v_now timestamptz := clock_timestamp();
  v_before bigint := queue_retry_key(v_now + interval '1 minute');
  v_fresh timestamptz := v_now - interval '1 hour';
begin
  return query
  select p.provider, l.lane, coalesce((select s.turns from provider_states s where s.provider = p.provider), 0::bigint),
    (select count(*) from (select from video_jobs r where r.provider = p.provider and r.queue_lane = l.lane || '_retry' and r.stage = 'queued' and r.leased_by is null
      and r.queue_key < v_before limit 1000) r)::integer
    + (select count(*) from (select from video_jobs h where h.provider = p.provider and h.stage = 'queued' and h.leased_by is not null and h.lease_until < v_now
      and queue_retry_key(h.lease_until) < v_before and replace(h.queue_lane, '_retry', '') = l.lane limit 1000) h)::integer,
    array(select j.queue_key from video_jobs j where j.provider = p.provider and j.queue_lane = l.lane and j.stage = 'queued' and j.leased_by is null
      and j.queue_key >= coalesce(s.from_key, 0) order by j.queue_key limit 2048),
    m.keys, m.ranks, m.waiting, coalesce(s.served, m.served) - m.served
  from (select unnest(p_providers) as provider
    union select q.provider from queue_marks q where p_providers is null and q.waiting >= 256 and q.marked_at > v_fresh) p
  cross join unnest(array['premium', 'member', 'guest']) l (lane)
  left join queue_lanes s on s.provider = p.provider and s.lane = l.lane
  left join queue_marks m on m.provider = p.provider and m.lane = l.lane and m.waiting >= 256 and m.marked_at > v_fresh;
end
$$;
comment on function read_queues(text[]) is 'The beginning of each lane and the marks of long ones, for positions from memory; called by nodes that are asked for positions.';
