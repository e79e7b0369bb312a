-- Work that was tried too often stays in its table, dead, where an operator sees it; and each kind of work on jobs is claimed by itself.

alter table webhook_deliveries add column dead_at timestamptz;
alter table push_notifications add column dead_at timestamptz;
alter table apple_authorizations add column dead_at timestamptz;
alter table alerts add column dead_at timestamptz;
alter table storage_objects add column dead_at timestamptz, add column last_error text;
alter table purchase_claims add column dead_at timestamptz, add column last_error text;

create index webhook_deliveries_dead_idx on webhook_deliveries (dead_at) where dead_at is not null;
create index push_notifications_dead_idx on push_notifications (dead_at) where dead_at is not null;
create index apple_authorizations_dead_idx on apple_authorizations (dead_at) where dead_at is not null;
create index alerts_dead_idx on alerts (dead_at) where dead_at is not null;
create index storage_objects_dead_idx on storage_objects (dead_at) where dead_at is not null;
create index purchase_claims_dead_idx on purchase_claims (dead_at) where dead_at is not null;

-- The next steps of one provider's jobs, by kind: jobs that wait in the queue are not passed over one by one.
create index video_jobs_step_idx on video_jobs (provider, stage, run_after) where stage <> 'queued' and stage <> 'finished';
create index video_jobs_provider_deadline_idx on video_jobs (provider, deadline_at) where stage <> 'finished';
