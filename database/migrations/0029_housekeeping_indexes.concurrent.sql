-- The cleanup finds what is old enough by these.
create index concurrently alerts_finished_idx on alerts (finished_at) where finished_at is not null;
create index concurrently sessions_admin_idx on sessions (created_at) where method = 'admin';
create index concurrently users_deleted_idx on users (id) where deleted_at is not null;
create index concurrently device_grants_decided_idx on device_grants (decided_at) where decided_at is not null;
create index concurrently user_consents_withdrawn_idx on user_consents (withdrawn_at) where withdrawn_at is not null;
create index concurrently content_reports_closed_idx on content_reports (closed_at) where closed_at is not null;
create index concurrently apple_authorizations_ended_idx on apple_authorizations (updated_at) where stage in ('revoked', 'lost');
