-- Sessions, devices, files, inbound events and logs.

create table sessions (
  id uuid primary key default gen_random_uuid(),
  user_id uuid not null constraint sessions_user_id_fkey references users (id) on delete cascade,
  method text not null default 'anonymous' constraint sessions_method_check check (method in ('anonymous', 'oauth', 'admin')),
  refresh_counter integer not null default 0 constraint sessions_refresh_counter_check check (refresh_counter >= 0),
  refreshed_at timestamptz not null default now(),
  created_at timestamptz not null default now(),
  revoked_at timestamptz
);
create index sessions_user_idx on sessions (user_id);

-- Tokens are kept as hashes: a copy of this table signs nobody in.
create table refresh_tokens (
  session_id uuid not null constraint refresh_tokens_session_id_fkey references sessions (id) on delete cascade,
  counter integer not null,
  user_id uuid not null constraint refresh_tokens_user_id_fkey references users (id) on delete cascade,
  token_hash bytea not null constraint refresh_tokens_token_hash_key unique,
  created_at timestamptz not null default now(),
  constraint refresh_tokens_pkey primary key (session_id, counter)
);
create index refresh_tokens_user_idx on refresh_tokens (user_id);

create table device_checks (
  device_id text primary key constraint device_checks_device_id_check check (char_length(device_id) between 1 and 255),
  user_id uuid constraint device_checks_user_id_fkey references users (id) on delete set null,
  bit0 boolean,
  bit1 boolean,
  last_query_at timestamptz,
  success_count integer not null default 0,
  failure_count integer not null default 0,
  fraud_flags text[] not null default '{}',
  risk_score integer not null default 0 constraint device_checks_risk_score_check check (risk_score between 0 and 100),
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now()
);
create index device_checks_user_idx on device_checks (user_id);

-- A wish for the free grant, worked off one at a time for the whole installation.
create table device_grants (
  id uuid primary key default gen_random_uuid(),
  user_id uuid not null constraint device_grants_user_id_fkey references users (id) on delete cascade,
  device_id text not null,
  -- Apple's token for this device; short-lived, and emptied as soon as the grant is decided.
  device_token text,
  stage text not null default 'requested' constraint device_grants_stage_check check (
    stage in ('requested', 'queried', 'bit_set', 'granted', 'denied', 'rejected', 'abandoned')),
  bit0 boolean,
  bit1 boolean,
  run_after timestamptz not null default now(),
  attempt integer not null default 0,
  lease_until timestamptz,
  leased_by text,
  last_error text,
  created_at timestamptz not null default now(),
  decided_at timestamptz,
  constraint device_grants_decided_check check (
    (stage in ('granted', 'denied', 'rejected', 'abandoned')) = (decided_at is not null)),
  constraint device_grants_answer_check check (stage not in ('queried', 'bit_set') or bit0 is not null),
  constraint device_grants_lease_check check ((lease_until is null) = (leased_by is null))
);
create index device_grants_user_idx on device_grants (user_id);
create index device_grants_due_idx on device_grants (run_after) where decided_at is null;
-- At most one grant stands between reading the bit and granting: Apple offers no compare-and-set.
create unique index device_grants_one_open_idx on device_grants ((true)) where stage in ('queried', 'bit_set');

-- Named turns that one process of the whole installation holds at a time.
create table installation_leases (
  name text primary key,
  leased_by text,
  lease_until timestamptz,
  constraint installation_leases_lease_check check ((lease_until is null) = (leased_by is null))
);

create table storage_objects (
  id uuid primary key default gen_random_uuid(),
  bucket text not null constraint storage_objects_bucket_check check (bucket in ('videos', 'thumbnails')),
  name text not null constraint storage_objects_name_check check (char_length(name) between 1 and 512),
  user_id uuid not null constraint storage_objects_user_id_fkey references users (id) on delete cascade,
  job_id uuid constraint storage_objects_job_id_fkey references video_jobs (job_id) on delete set null,
  size_bytes bigint constraint storage_objects_size_bytes_check check (size_bytes >= 0),
  content_type text,
  state text not null default 'pending' constraint storage_objects_state_check check (state in ('pending', 'stored', 'deleting')),
  created_at timestamptz not null default now(),
  stored_at timestamptz,
  run_after timestamptz not null default now(),
  attempt integer not null default 0,
  lease_until timestamptz,
  leased_by text,
  constraint storage_objects_bucket_name_key unique (bucket, name),
  constraint storage_objects_stored_check check (
    state <> 'stored' or (size_bytes is not null and content_type is not null and stored_at is not null)),
  constraint storage_objects_lease_check check ((lease_until is null) = (leased_by is null))
);
create index storage_objects_user_idx on storage_objects (user_id);
create index storage_objects_job_idx on storage_objects (job_id);
create index storage_objects_deleting_idx on storage_objects (run_after) where state = 'deleting';
create index storage_objects_pending_idx on storage_objects (created_at) where state = 'pending';

create table webhook_deliveries (
  id bigint generated always as identity primary key,
  provider text not null,
  event_id text not null,
  event_type text not null,
  payload jsonb,
  status text not null default 'pending'
    constraint webhook_deliveries_status_check check (status in ('pending', 'processed', 'failed')),
  retry_count integer not null default 0,
  last_error text,
  job_id uuid constraint webhook_deliveries_job_id_fkey references video_jobs (job_id) on delete set null,
  user_id uuid constraint webhook_deliveries_user_id_fkey references users (id) on delete set null,
  submission_id bigint constraint webhook_deliveries_submission_id_fkey references job_submissions (id) on delete set null,
  created_at timestamptz not null default now(),
  processed_at timestamptz,
  run_after timestamptz not null default now(),
  attempt integer not null default 0,
  lease_until timestamptz,
  leased_by text,
  constraint webhook_deliveries_event_key unique (provider, event_id),
  constraint webhook_deliveries_lease_check check ((lease_until is null) = (leased_by is null))
);
create index webhook_deliveries_status_idx on webhook_deliveries (status);
create index webhook_deliveries_created_idx on webhook_deliveries (created_at);
create index webhook_deliveries_due_idx on webhook_deliveries (run_after) where status = 'pending';
create index webhook_deliveries_job_idx on webhook_deliveries (job_id);

create table error_log (
  id bigint generated always as identity primary key,
  user_id uuid constraint error_log_user_id_fkey references users (id) on delete set null,
  error_code text not null,
  endpoint text,
  request_data jsonb,
  error_details jsonb,
  trace_id text,
  created_at timestamptz not null default now()
);
create index error_log_code_idx on error_log (error_code);
create index error_log_user_created_idx on error_log (user_id, created_at desc);
create index error_log_created_idx on error_log (created_at);

create table rate_limit_log (
  id bigint generated always as identity primary key,
  ip_address inet,
  action text not null,
  user_id uuid constraint rate_limit_log_user_id_fkey references users (id) on delete cascade,
  created_at timestamptz not null default now()
);
create index rate_limit_log_ip_action_created_idx on rate_limit_log (ip_address, action, created_at);
create index rate_limit_log_user_action_created_idx on rate_limit_log (user_id, action, created_at);
create index rate_limit_log_created_idx on rate_limit_log (created_at);
