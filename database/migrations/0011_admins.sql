-- Those who may act for the house, what they did, and the nodes that serve it.

-- A person who signs in to the console has an e-mail of their own; two admins cannot share one.
create unique index users_admin_email_key on users (lower(email)) where is_admin and email is not null;
create index users_email_idx on users (lower(email) text_pattern_ops) where email is not null;
create index users_created_at_idx on users (created_at desc, id);

create table admin_credentials (
  user_id uuid primary key constraint admin_credentials_user_id_fkey references users (id) on delete cascade,
  password_hash text not null,
  -- Encrypted; a copy of this table makes no codes.
  totp_secret bytea not null,
  -- The last time step whose code was used: a code works once (RFC 6238, section 5.2).
  totp_step bigint not null default 0,
  failed_attempts integer not null default 0 constraint admin_credentials_failed_check check (failed_attempts >= 0),
  locked_until timestamptz,
  changed_at timestamptz not null default now()
);

create table admin_actions (
  id bigint generated always as identity primary key,
  admin_user_id uuid constraint admin_actions_admin_user_id_fkey references users (id),
  action_type text not null constraint admin_actions_action_type_check check (action_type ~ '^[a-z][a-z_]{2,40}$'),
  target_user_id uuid constraint admin_actions_target_user_id_fkey references users (id),
  target_model_id uuid constraint admin_actions_target_model_id_fkey references models (id) on delete set null,
  -- What else it was done to: a job, a delivery, a theme, a product.
  target_id text constraint admin_actions_target_id_check check (char_length(target_id) <= 200),
  amount integer,
  reason text not null constraint admin_actions_reason_check check (char_length(btrim(reason)) between 3 and 500),
  details jsonb not null default '{}',
  created_at timestamptz not null default now()
);
create index admin_actions_admin_idx on admin_actions (admin_user_id, id desc);
create index admin_actions_target_idx on admin_actions (target_user_id, id desc) where target_user_id is not null;
create index admin_actions_model_idx on admin_actions (target_model_id, id desc) where target_model_id is not null;
create index admin_actions_target_id_idx on admin_actions (target_id, id desc) where target_id is not null;

-- Support gives a job's credits back by hand at most once.
create unique index quota_log_one_admin_refund_idx on quota_log (job_id) where reason = 'admin_refund';

-- One row for each running process, brought up to date while it lives.
create table nodes (
  name text primary key constraint nodes_name_check check (char_length(name) between 1 and 200),
  version text not null,
  roles text[] not null,
  started_at timestamptz not null,
  seen_at timestamptz not null default now()
);

-- The console's lists: each order that it offers, newest first.
create index video_jobs_status_created_idx on video_jobs (status, created_at desc, job_id);
create index video_jobs_error_created_idx on video_jobs (error_code, created_at desc, job_id) where error_code is not null;
create index video_jobs_provider_created_idx on video_jobs (provider, created_at desc, job_id);
create index purchases_created_idx on purchases (created_at desc, transaction_id);
create index purchases_transaction_idx on purchases (transaction_id);
create index push_notifications_created_idx on push_notifications (created_at desc, id);
create index rate_limit_log_user_idx on rate_limit_log (user_id, created_at desc) where user_id is not null;
create index webhook_deliveries_status_id_idx on webhook_deliveries (status, id desc);

-- What belongs to a job or a user, found from it.
create index quota_log_job_idx on quota_log (job_id) where job_id is not null;
create index user_consents_user_idx on user_consents (user_id, granted_at desc);
create index users_admins_idx on users (created_at) where is_admin;
