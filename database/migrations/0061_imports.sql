-- How far an import from another installation has come, what it found, and which files it still has to bring.
create table imports (
  kind text primary key constraint imports_kind_check check (kind ~ '^[a-z]{1,40}$'),
  -- Which database it is: another one is refused until this import is taken out by hand.
  source text not null constraint imports_source_check check (char_length(source) between 1 and 200),
  -- The last user of the source, in the order of ids, whose rows are all here.
  last_user text not null default '',
  users bigint not null default 0 constraint imports_users_check check (users >= 0),
  jobs bigint not null default 0 constraint imports_jobs_check check (jobs >= 0),
  ledger_rows bigint not null default 0 constraint imports_ledger_rows_check check (ledger_rows >= 0),
  refresh_tokens bigint not null default 0 constraint imports_refresh_tokens_check check (refresh_tokens >= 0),
  consents bigint not null default 0 constraint imports_consents_check check (consents >= 0),
  starts integer not null default 1 constraint imports_starts_check check (starts > 0),
  started_at timestamptz not null default clock_timestamp(),
  rows_finished_at timestamptz,
  constraint imports_times_check check (isfinite(started_at) and isfinite(rows_finished_at))
);
alter table imports enable row level security;

create table import_findings (
  id bigint generated always as identity primary key,
  kind text not null constraint import_findings_kind_fkey references imports (kind) on delete cascade,
  code text not null constraint import_findings_code_check check (code ~ '^[a-z_]{1,60}$'),
  line text not null
);
create index import_findings_kind_idx on import_findings (kind, code);
alter table import_findings enable row level security;

-- A file of the former storage that a row which was carried over names.
create table import_files (
  bucket text not null,
  name text not null,
  role text not null constraint import_files_role_check check (role in ('picture', 'thumbnail', 'video')),
  user_id uuid not null constraint import_files_user_id_fkey references users (id) on delete cascade,
  job_id uuid constraint import_files_job_id_fkey references video_jobs (job_id) on delete cascade,
  -- As the former storage has it; null: it did not say.
  size_bytes bigint constraint import_files_size_check check (size_bytes >= 0),
  state text not null default 'pending' constraint import_files_state_check check (state in ('pending', 'stored', 'missing', 'refused')),
  reason text,
  sha256 bytea constraint import_files_sha256_check check (octet_length(sha256) = 32),
  created_at timestamptz not null default now(),
  constraint import_files_job_check check ((role = 'picture') = (job_id is null)),
  constraint import_files_stored_check check ((state = 'stored') = (sha256 is not null)),
  constraint import_files_times_check check (isfinite(created_at))
);
-- One file may be what two jobs show.
create unique index import_files_key on import_files (bucket, name, role, coalesce(job_id, user_id));
create index import_files_pending_idx on import_files (bucket, name) where state = 'pending';
create index import_files_user_idx on import_files (user_id);
create index import_files_job_idx on import_files (job_id);
alter table import_files enable row level security;
