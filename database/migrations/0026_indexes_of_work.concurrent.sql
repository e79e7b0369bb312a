-- Work that was given up, for the console; and the next steps of jobs by kind.
create index concurrently webhook_deliveries_dead_idx on webhook_deliveries (dead_at) where dead_at is not null;
create index concurrently push_notifications_dead_idx on push_notifications (dead_at) where dead_at is not null;
create index concurrently apple_authorizations_dead_idx on apple_authorizations (dead_at) where dead_at is not null;
create index concurrently alerts_dead_idx on alerts (dead_at) where dead_at is not null;
create index concurrently storage_objects_dead_idx on storage_objects (dead_at) where dead_at is not null;
create index concurrently purchase_claims_dead_idx on purchase_claims (dead_at) where dead_at is not null;

-- The next steps of one provider's jobs, by kind: jobs that wait in the queue are not passed over one by one.
create index concurrently video_jobs_step_idx on video_jobs (provider, stage, run_after) where stage <> 'queued' and stage <> 'finished';
create index concurrently video_jobs_provider_deadline_idx on video_jobs (provider, deadline_at) where stage <> 'finished';
