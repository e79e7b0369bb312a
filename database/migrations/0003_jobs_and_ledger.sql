-- Jobs, the ledger, and what makes a request safe to repeat.

create table video_jobs (
  job_id uuid primary key,
  user_id uuid not null constraint video_jobs_user_id_fkey references users (id) on delete cascade,
  model_id uuid constraint video_jobs_model_id_fkey references models (id) on delete set null,
  theme_id uuid constraint video_jobs_theme_id_fkey references themes (id) on delete set null,
  -- Kept on the job: a receipt shows the name that was bought, also after the model is renamed or removed.
  model_name text not null default 'Removed model',
  prompt text not null default '' constraint video_jobs_prompt_check check (char_length(prompt) <= 8000),
  settings jsonb not null default '{}' constraint video_jobs_settings_check check (jsonb_typeof(settings) = 'object'),
  image_url text,
  status text not null default 'pending'
    constraint video_jobs_status_check check (status in ('pending', 'processing', 'completed', 'failed')),
  video_url text,
  thumbnail_url text,
  credits_used integer not null default 0 constraint video_jobs_credits_used_check check (credits_used >= 0),
  error_code text constraint video_jobs_error_code_check check (error_code ~ '^ERR_[456][0-9]{3}$'),
  error_message text,
  provider text not null default 'fal',
  provider_job_id text,
  provider_cost_micros bigint constraint video_jobs_provider_cost_micros_check check (provider_cost_micros >= 0),
  result_url text,
  created_at timestamptz not null default now(),
  submitted_at timestamptz,
  completed_at timestamptz,
  deleted_at timestamptz,
  cancel_requested_at timestamptz,
  -- The worker's side of the row; design: Features/GenerateVideo/README.md.
  stage text not null default 'queued' constraint video_jobs_stage_check check (
    stage in ('queued', 'submitting', 'ambiguous', 'submitted', 'fetching', 'finished')),
  run_after timestamptz not null default now(),
  deadline_at timestamptz not null default now() + interval '30 minutes',
  attempt integer not null default 0 constraint video_jobs_attempt_check check (attempt >= 0),
  fetch_attempt integer not null default 0 constraint video_jobs_fetch_attempt_check check (fetch_attempt >= 0),
  lease_until timestamptz,
  leased_by text,
  constraint video_jobs_status_stage_check check (
    (status = 'pending' and stage = 'queued')
    or (status = 'processing' and stage in ('submitting', 'ambiguous', 'submitted', 'fetching'))
    or (status in ('completed', 'failed') and stage = 'finished')),
  constraint video_jobs_finished_check check ((stage = 'finished') = (completed_at is not null)),
  constraint video_jobs_lease_check check ((lease_until is null) = (leased_by is null))
);
create index video_jobs_user_created_idx on video_jobs (user_id, created_at desc, job_id desc);
create index video_jobs_status_idx on video_jobs (status);
create index video_jobs_provider_job_idx on video_jobs (provider_job_id);
create index video_jobs_model_idx on video_jobs (model_id);
create index video_jobs_due_idx on video_jobs (run_after) where stage <> 'finished';
create index video_jobs_deadline_idx on video_jobs (deadline_at) where stage <> 'finished';
create index video_jobs_line_idx on video_jobs (provider, created_at) where stage = 'queued';
create index video_jobs_in_flight_idx on video_jobs (provider)
  where stage in ('submitting', 'ambiguous', 'submitted');

-- One row for each time a job was handed to a provider: written before the call, so that no call goes unrecorded.
create table job_submissions (
  id bigint generated always as identity primary key,
  job_id uuid not null constraint job_submissions_job_id_fkey references video_jobs (job_id) on delete cascade,
  user_id uuid not null constraint job_submissions_user_id_fkey references users (id) on delete cascade,
  provider text not null,
  attempt integer not null,
  -- The webhook address carries the token; only its hash is kept.
  webhook_token_hash bytea not null constraint job_submissions_webhook_token_hash_key unique,
  outcome text not null default 'intended' constraint job_submissions_outcome_check check (
    outcome in ('intended', 'accepted', 'refused', 'ambiguous', 'succeeded', 'failed', 'cancelled', 'late_success')),
  provider_job_id text,
  status_url text,
  result_url text,
  cancel_url text,
  detail text constraint job_submissions_detail_check check (char_length(detail) <= 2000),
  created_at timestamptz not null default now(),
  answered_at timestamptz,
  constraint job_submissions_attempt_key unique (job_id, attempt)
);
create index job_submissions_user_idx on job_submissions (user_id);
create index job_submissions_provider_job_idx on job_submissions (provider, provider_job_id);

create table quota_log (
  id uuid primary key default gen_random_uuid(),
  seq bigint generated always as identity,
  user_id uuid not null constraint quota_log_user_id_fkey references users (id),
  job_id uuid constraint quota_log_job_id_fkey references video_jobs (job_id),
  change integer not null constraint quota_log_change_check check (change <> 0),
  reason text not null constraint quota_log_reason_check check (reason in (
    'video_generation', 'generation_failed_refund', 'initial_grant', 'iap_purchase', 'apple_refund',
    'apple_refund_reversed', 'admin_refund', 'admin_adjustment', 'merge', 'migration_correction')),
  transaction_id text constraint quota_log_transaction_id_key unique,
  balance_after integer not null,
  note text,
  -- Set on rows that were carried over from a database from before Reelbase; its balances kept no rules.
  imported_at timestamptz,
  created_at timestamptz not null default now(),
  -- Only Apple taking back credits that were spent already may leave a balance below zero.
  constraint quota_log_balance_check check (
    balance_after >= 0 or change > 0 or reason in ('apple_refund', 'merge', 'migration_correction')
    or imported_at is not null),
  constraint quota_log_sign_check check (case reason
    when 'video_generation' then change < 0
    when 'apple_refund' then change < 0
    when 'generation_failed_refund' then change > 0
    when 'initial_grant' then change > 0
    when 'iap_purchase' then change > 0
    when 'apple_refund_reversed' then change > 0
    else true end)
);
create unique index quota_log_seq_idx on quota_log (seq);
create index quota_log_user_seq_idx on quota_log (user_id, seq desc);
create index quota_log_user_created_idx on quota_log (user_id, created_at desc);
create index quota_log_transaction_idx on quota_log (transaction_id);
create unique index quota_log_one_charge_idx on quota_log (job_id) where reason = 'video_generation';
create unique index quota_log_one_refund_idx on quota_log (job_id) where reason = 'generation_failed_refund';

create table idempotency_log (
  user_id uuid not null constraint idempotency_log_user_id_fkey references users (id) on delete cascade,
  idempotency_key uuid not null,
  job_id uuid constraint idempotency_log_job_id_fkey references video_jobs (job_id) on delete set null,
  operation_type text not null,
  request_hash bytea not null,
  response_data jsonb not null,
  status_code integer not null,
  created_at timestamptz not null default now(),
  expires_at timestamptz not null default now() + interval '24 hours',
  constraint idempotency_log_pkey primary key (user_id, idempotency_key)
);
create index idempotency_log_expires_idx on idempotency_log (expires_at);
create index idempotency_log_job_idx on idempotency_log (job_id);
