-- Which request began a job, and what there was in each hour.

-- A W3C traceparent. The request that accepts a job sets it for its own transaction, so that the worker, and the webhook that ends the
-- job, go on in the same trace.
alter table video_jobs add column trace_parent text default nullif(current_setting('reelbase.trace_parent', true), '')
  constraint video_jobs_trace_parent_check check (char_length(trace_parent) <= 64);
alter table webhook_deliveries add column trace_parent text
  constraint webhook_deliveries_trace_parent_check check (char_length(trace_parent) <= 64);
create index video_jobs_trace_idx on video_jobs (substr(trace_parent, 4, 32)) where trace_parent is not null;
create index webhook_deliveries_trace_idx on webhook_deliveries (substr(trace_parent, 4, 32)) where trace_parent is not null;
create index error_log_trace_idx on error_log (trace_id);

-- Sums by hour. The last hours are counted anew every few seconds, so that a chart over a year reads a few thousand rows and a counter
-- outlives every process.
create table ledger_hours (
  hour timestamptz not null,
  reason text not null,
  credits bigint not null,
  entries bigint not null,
  constraint ledger_hours_pkey primary key (hour, reason)
);
create table job_hours (
  hour timestamptz not null,
  provider text not null,
  model_name text not null,
  result text not null constraint job_hours_result_check check (result in ('accepted', 'completed', 'failed')),
  error_code text not null default '',
  jobs bigint not null,
  -- From acceptance to the end, all of them together.
  seconds double precision not null default 0,
  constraint job_hours_pkey primary key (hour, provider, model_name, result, error_code)
);
create table statistics_progress (
  is_only boolean primary key default true constraint statistics_progress_only_check check (is_only),
  counted_until timestamptz not null
);
create index video_jobs_created_at_idx on video_jobs (created_at);
create index video_jobs_completed_at_idx on video_jobs (completed_at) where completed_at is not null;
-- The ledger only grows and in the order of time, for which a brin of a few pages is enough.
create index quota_log_created_at_idx on quota_log using brin (created_at);

-- The provider's turn in which a job was taken from its waiting line: the order of serving, as it was.
alter table video_jobs add column served_turn bigint;
