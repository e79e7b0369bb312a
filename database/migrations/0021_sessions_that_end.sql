-- When a session ends by itself, and which identity tokens have been used.

alter table sessions
  -- Generations in a row in which the predecessor came late: two holders who each keep the other's predecessor alive look like this.
  add column late_generation integer,
  add column late_generations_running integer not null default 0,
  add constraint sessions_late_generations_running_check check (late_generations_running >= 0) not valid;
alter table sessions validate constraint sessions_late_generations_running_check;

-- Identity tokens of Apple that have signed somebody in. Kept by their hash until they would have ended by themselves.
create table used_identity_tokens (
  token_hash bytea primary key,
  user_id uuid not null constraint used_identity_tokens_user_id_fkey references users (id) on delete cascade,
  -- Who presented it: the session of the bearer, null for nobody.
  session_id uuid,
  used_at timestamptz not null default now(),
  expires_at timestamptz not null
);
create index used_identity_tokens_expires_idx on used_identity_tokens (expires_at);
create index used_identity_tokens_user_idx on used_identity_tokens (user_id);
alter table used_identity_tokens enable row level security;
