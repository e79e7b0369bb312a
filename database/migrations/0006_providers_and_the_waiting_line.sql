-- What is known of each provider, the turns of its waiting line, what it costs a day, and alerts for the operator.

create table provider_states (
  provider text primary key constraint provider_states_provider_check check (provider ~ '^[a-z][a-z0-9_]{1,30}$'),
  -- Without keys a provider's models are not offered.
  is_configured boolean not null default true,
  -- Failing for longer than this hides its models; null: never.
  outage_seconds integer constraint provider_states_outage_seconds_check check (outage_seconds > 0),
  -- How many jobs have left the line; which tier is next and who waits longest are counted in it.
  turns bigint not null default 0,
  fault text constraint provider_states_fault_check check (fault in ('unreachable', 'account')),
  detail text constraint provider_states_detail_check check (char_length(detail) <= 500),
  failing_since timestamptz,
  -- Nothing is submitted before.
  paused_until timestamptz,
  updated_at timestamptz not null default now(),
  constraint provider_states_failing_check check ((fault is null) = (failing_since is null))
);

-- One row for each provider and day (UTC): what submissions are expected to cost.
create table provider_spend (
  provider text not null,
  day date not null,
  micros bigint not null default 0 constraint provider_spend_micros_check check (micros >= 0),
  constraint provider_spend_pkey primary key (provider, day)
);

-- What an operator should know; each thing once (dedupe_key says for how long "once" lasts).
create table alerts (
  id bigint generated always as identity primary key,
  kind text not null constraint alerts_kind_check check (kind ~ '^[a-z_]{3,40}$'),
  dedupe_key text not null,
  message text not null constraint alerts_message_check check (char_length(message) between 1 and 1000),
  created_at timestamptz not null default now(),
  constraint alerts_dedupe_key unique (kind, dedupe_key)
);
create index alerts_created_idx on alerts (created_at);

alter table video_jobs
  -- The line's turn at which this job came, or at which its user was last served while it waited.
  add column line_turn bigint not null default 0,
  -- What ffprobe found in the stored video; null when it is not known.
  add column video_duration_seconds numeric(8, 3) constraint video_jobs_video_duration_check check (video_duration_seconds > 0),
  add column video_width integer constraint video_jobs_video_width_check check (video_width > 0),
  add column video_height integer constraint video_jobs_video_height_check check (video_height > 0),
  add column video_fps numeric(7, 3) constraint video_jobs_video_fps_check check (video_fps > 0),
  add column video_has_audio boolean;
drop index video_jobs_line_idx;
create index video_jobs_line_idx on video_jobs (provider, user_id, created_at) where stage = 'queued';

alter table job_submissions
  add column expected_cost_micros bigint not null default 0
    constraint job_submissions_expected_cost_check check (expected_cost_micros >= 0),
  -- Ended for the user while the provider could not be asked: somebody still has to learn what it did and cost.
  add column settle_after timestamptz,
  add column settle_attempt integer not null default 0;
create index job_submissions_settle_idx on job_submissions (settle_after) where settle_after is not null;

-- The provider's name of the job that an event is about; an event has a name of its own at some providers.
alter table webhook_deliveries add column provider_job_id text;
update webhook_deliveries set provider_job_id = event_id;

-- Stores list their files in byte order; rows are walked beside them.
create index storage_objects_walk_idx on storage_objects (bucket collate "C", name collate "C");

-- Pika's models became a provider of their own, reached through fal.
update models set provider = 'pika' where provider = 'fal' and provider_model_id like 'fal-ai/pika/%';
