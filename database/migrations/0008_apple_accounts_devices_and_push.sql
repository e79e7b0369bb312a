-- Apple's messages, Apple's tokens, what is known of devices, and pushes.

-- One inbox for everything that comes in; which worker reads a row is said by the inbox it lies in.
alter table webhook_deliveries add column inbox text not null default 'provider'
  constraint webhook_deliveries_inbox_check check (inbox in ('provider', 'app_store', 'apple_account'));
drop index webhook_deliveries_due_idx;
create index webhook_deliveries_due_idx on webhook_deliveries (inbox, run_after) where status = 'pending';
create index webhook_deliveries_user_idx on webhook_deliveries (user_id);

-- Purchases that Apple could not be asked about at once, or did not know yet: asked again for their user.
create table purchase_claims (
  user_id uuid not null constraint purchase_claims_user_id_fkey references users (id) on delete cascade,
  transaction_id text not null constraint purchase_claims_transaction_id_check check (char_length(transaction_id) between 1 and 200),
  created_at timestamptz not null default now(),
  run_after timestamptz not null default now(),
  attempt integer not null default 0,
  lease_until timestamptz,
  leased_by text,
  constraint purchase_claims_pkey primary key (user_id, transaction_id),
  constraint purchase_claims_lease_check check ((lease_until is null) = (leased_by is null))
);
create index purchase_claims_due_idx on purchase_claims (run_after);

-- Up to where Apple's own list of notifications has been compared with ours.
create table reconciliations (
  environment text primary key constraint reconciliations_environment_check check (environment in ('Production', 'Sandbox')),
  covered_until timestamptz,
  started_at timestamptz,
  finished_at timestamptz,
  report jsonb,
  -- After one that broke off: not before.
  retry_at timestamptz,
  lease_until timestamptz,
  leased_by text,
  constraint reconciliations_lease_check check ((lease_until is null) = (leased_by is null))
);

-- What Sign in with Apple has handed us for each user: a code to be exchanged, then a refresh token that is needed to
-- take Apple's permission back when the account goes. Both only encrypted.
create table apple_authorizations (
  id bigint generated always as identity primary key,
  user_id uuid not null constraint apple_authorizations_user_id_fkey references users (id) on delete cascade,
  client_id text not null,
  stage text not null constraint apple_authorizations_stage_check check (stage in ('code', 'held', 'revoking', 'revoked', 'lost')),
  secret bytea,
  revoke_wanted boolean not null default false,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  run_after timestamptz not null default now(),
  attempt integer not null default 0,
  last_error text,
  lease_until timestamptz,
  leased_by text,
  constraint apple_authorizations_secret_check check ((stage in ('code', 'held', 'revoking')) = (secret is not null)),
  constraint apple_authorizations_lease_check check ((lease_until is null) = (leased_by is null))
);
create index apple_authorizations_user_idx on apple_authorizations (user_id);
create index apple_authorizations_due_idx on apple_authorizations (run_after) where stage in ('code', 'revoking');

alter table device_checks
  -- Checks in which Apple could not be asked; those are nobody's fault.
  add column outage_count integer not null default 0,
  add column last_failure_at timestamptz;
alter table device_grants
  -- grant: the free credits. mark: bring bit1 to what our ban says.
  add column purpose text not null default 'grant' constraint device_grants_purpose_check check (purpose in ('grant', 'mark')),
  add column bit1_wanted boolean;

create table push_tokens (
  token text primary key constraint push_tokens_token_check check (token ~ '^[0-9a-f]+$' and char_length(token) between 32 and 400),
  user_id uuid not null constraint push_tokens_user_id_fkey references users (id) on delete cascade,
  environment text not null constraint push_tokens_environment_check check (environment in ('production', 'sandbox')),
  kind text not null constraint push_tokens_kind_check check (kind in ('alert', 'background')),
  registered_at timestamptz not null default now()
);
create index push_tokens_user_idx on push_tokens (user_id, registered_at);

-- The outbox of pushes: written in the transaction that ends a job, one row for each phone.
create table push_notifications (
  id uuid primary key default gen_random_uuid(),
  user_id uuid not null constraint push_notifications_user_id_fkey references users (id) on delete cascade,
  job_id uuid not null constraint push_notifications_job_id_fkey references video_jobs (job_id) on delete cascade,
  token text not null,
  environment text not null,
  kind text not null,
  event text not null constraint push_notifications_event_check check (event in ('completed', 'failed')),
  model_name text not null,
  status text not null default 'pending' constraint push_notifications_status_check check (status in ('pending', 'sent', 'gone', 'failed')),
  last_error text,
  created_at timestamptz not null default now(),
  finished_at timestamptz,
  run_after timestamptz not null default now(),
  attempt integer not null default 0,
  lease_until timestamptz,
  leased_by text,
  constraint push_notifications_once_key unique (job_id, token),
  constraint push_notifications_finished_check check ((status = 'pending') = (finished_at is null)),
  constraint push_notifications_lease_check check ((lease_until is null) = (leased_by is null))
);
create index push_notifications_due_idx on push_notifications (run_after) where status = 'pending';
create index push_notifications_user_idx on push_notifications (user_id);
