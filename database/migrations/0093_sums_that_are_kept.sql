-- Users whose balance is below zero. An index for them on users has credits_remaining in its condition, so that each charge of anybody writes a new entry into every
-- index of users; this table is written when a balance passes zero, and only then.
create table balances_below_zero (
  user_id uuid not null constraint balances_below_zero_pkey primary key constraint balances_below_zero_user_id_fkey references users (id) on delete cascade
);
alter table balances_below_zero enable row level security;

-- Sums of the hours that are counted no more, so that a total reads one row for each of its kinds however long the installation has run.
create table ledger_totals (
  reason text not null constraint ledger_totals_pkey primary key,
  credits bigint not null
);
alter table ledger_totals enable row level security;
create table job_totals (
  provider text not null,
  model_name text not null,
  result text not null,
  error_code text not null,
  jobs bigint not null,
  constraint job_totals_pkey primary key (provider, model_name, result, error_code)
);
alter table job_totals enable row level security;
-- Hours before folded_until are in the totals. kept is what read_statistics answers, when it was measured and how long that took.
alter table statistics_progress add column folded_until timestamptz;
alter table statistics_progress add column kept jsonb;
alter table statistics_progress add column kept_at timestamptz;
alter table statistics_progress add column kept_seconds double precision not null default 0;
