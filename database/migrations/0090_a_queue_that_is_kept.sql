-- The order of each provider's queue is kept in the row: stamped when a job is accepted, handed out by an index, never computed over everybody who waits.
alter table video_jobs add column queue_lane text, add column queue_key bigint;
alter table video_jobs add constraint video_jobs_queue_lane_check
  check (queue_lane in ('premium', 'member', 'guest', 'premium_retry', 'member_retry', 'guest_retry')) not valid;

-- Breaks ties between jobs of one pass: who came first.
create sequence queue_ticket;

-- How far each lane of a provider's queue has been served; written by who claims, under one advisory lock.
create table queue_lanes (
  provider text not null constraint queue_lanes_provider_check check (provider ~ '^[a-z][a-z0-9_]{1,30}$'),
  lane text not null constraint queue_lanes_lane_check check (lane in ('premium', 'member', 'guest')),
  served bigint not null default 0 constraint queue_lanes_served_check check (served >= 0),
  served_key bigint not null default 0 constraint queue_lanes_served_key_check check (served_key >= 0),
  from_key bigint not null default 0 constraint queue_lanes_from_key_check check (from_key >= 0),
  next_key bigint not null default 0 constraint queue_lanes_next_key_check check (next_key >= 0),
  rotated_at timestamptz not null default clock_timestamp() constraint queue_lanes_rotated_at_check check (isfinite(rotated_at)),
  constraint queue_lanes_pkey primary key (provider, lane)
) with (fillfactor = 50);

-- Marks along a lane with the number of jobs before each, so that a position is looked up and not counted; made anew every second while many wait.
create table queue_marks (
  provider text not null constraint queue_marks_provider_check check (provider ~ '^[a-z][a-z0-9_]{1,30}$'),
  lane text not null constraint queue_marks_lane_check check (lane in ('premium', 'member', 'guest')),
  keys bigint[] not null default '{}',
  ranks integer[] not null default '{}',
  waiting integer not null default 0 constraint queue_marks_waiting_check check (waiting >= 0),
  served bigint not null default 0,
  marked_at timestamptz not null constraint queue_marks_marked_at_check check (isfinite(marked_at)),
  took_micros integer not null default 0 constraint queue_marks_took_micros_check check (took_micros >= 0),
  constraint queue_marks_pkey primary key (provider, lane),
  constraint queue_marks_ranks_check check (cardinality(keys) = cardinality(ranks))
);

-- Those who wait already keep their order: everybody's first before anybody's second, by who was served longest ago. One that was handed out before, or waits for
-- its next attempt, comes when it is due.
update video_jobs j set queue_lane = w.lane || case when w.is_retry then '_retry' else '' end,
  queue_key = case when w.is_retry then floor(extract(epoch from w.run_after) * 1000000)::bigint - 4611686018427387904 else w.round << 26 | w.ticket end
from (
  select l.job_id, l.lane, l.is_retry, l.run_after, l.round,
    dense_rank() over (partition by l.provider order by l.served_turn, l.first_created_at, l.user_id) as ticket
  from (
    select o.job_id, o.provider, o.user_id, o.run_after,
      case when u.tier = 'premium' then 'premium' when u.is_guest then 'guest' else 'member' end as lane,
      o.leased_by is null and o.run_after > clock_timestamp() as is_retry,
      row_number() over (partition by o.provider, o.user_id order by o.created_at, o.job_id) as round,
      min(o.line_turn) over (partition by o.provider, o.user_id) as served_turn,
      min(o.created_at) over (partition by o.provider, o.user_id) as first_created_at
    from video_jobs o join users u on u.id = o.user_id where o.stage = 'queued') l) w
where j.job_id = w.job_id;
select setval('queue_ticket', (select count(*) + 1 from video_jobs where stage = 'queued'));
-- The order was computed by it at every claim and every question.
drop function if exists walk_waiting_line(text);
