-- What is done once a night, alerts on their way out, and content that users report.

-- One row for each thing that is done at a time of day, by whichever node comes first.
create table schedules (
  name text primary key constraint schedules_name_check check (name ~ '^[a-z_]{3,40}$'),
  last_started_at timestamptz,
  last_finished_at timestamptz,
  report jsonb,
  lease_until timestamptz,
  leased_by text,
  constraint schedules_lease_check check ((lease_until is null) = (leased_by is null))
);

-- The cleanup finds what is old enough by these.
create index video_jobs_expiry_idx on video_jobs (created_at) where stage = 'finished' and deleted_at is null;
create index sessions_revoked_idx on sessions (revoked_at) where revoked_at is not null;
create index webhook_deliveries_payload_idx on webhook_deliveries (created_at) where payload is not null and status <> 'pending';
create index push_notifications_finished_idx on push_notifications (finished_at) where finished_at is not null;

-- The alerts are their own outbox: each is sent to every channel once.
alter table alerts
  add column status text not null default 'pending' constraint alerts_status_check check (status in ('pending', 'sent', 'failed')),
  add column finished_at timestamptz,
  add column last_error text,
  add column run_after timestamptz not null default now(),
  add column attempt integer not null default 0,
  add column lease_until timestamptz,
  add column leased_by text,
  add constraint alerts_finished_check check ((status = 'pending') = (finished_at is null)),
  add constraint alerts_lease_check check ((lease_until is null) = (leased_by is null));
-- What was raised before there were channels was read in the log, or not at all.
update alerts set status = 'sent', finished_at = now();
create index alerts_due_idx on alerts (run_after) where status = 'pending';

create table content_reports (
  id bigint generated always as identity primary key,
  user_id uuid constraint content_reports_user_id_fkey references users (id) on delete set null,
  job_id uuid not null constraint content_reports_job_id_fkey references video_jobs (job_id) on delete cascade,
  reason text not null constraint content_reports_reason_check check (char_length(reason) between 1 and 1000),
  status text not null default 'open' constraint content_reports_status_check check (status in ('open', 'closed')),
  created_at timestamptz not null default now(),
  closed_at timestamptz,
  constraint content_reports_closed_check check ((status = 'open') = (closed_at is null)),
  constraint content_reports_once_key unique (user_id, job_id)
);
create index content_reports_open_idx on content_reports (created_at) where status = 'open';
create index content_reports_job_idx on content_reports (job_id);
