-- How often, and how, requests of shipped builds were believed without proof, so that an operator sees when nobody needs the switch any more.
create table unverified_uses (
  kind text not null constraint unverified_uses_kind_check check (kind ~ '^[a-z_]{1,40}$'),
  hour timestamptz not null constraint unverified_uses_hour_check check (isfinite(hour)),
  uses bigint not null constraint unverified_uses_uses_check check (uses > 0),
  constraint unverified_uses_pkey primary key (hour, kind)
);
alter table unverified_uses enable row level security;

-- Refresh tokens of the Supabase project that an app came from, as hashes: shipped builds never onboard again, so these are all they have to come in with.
-- A family is what was one session there; the first of its tokens that comes opens our session, and the others are tokens of that session from then on.
create table former_refresh_tokens (
  token_hash bytea primary key,
  user_id uuid not null constraint former_refresh_tokens_user_id_fkey references users (id) on delete cascade,
  family text not null constraint former_refresh_tokens_family_check check (char_length(family) between 1 and 200),
  session_id uuid constraint former_refresh_tokens_session_id_fkey references sessions (id) on delete set null,
  used_at timestamptz constraint former_refresh_tokens_used_at_check check (isfinite(used_at)),
  created_at timestamptz not null default now()
);
create index former_refresh_tokens_user_idx on former_refresh_tokens (user_id);
create index former_refresh_tokens_family_idx on former_refresh_tokens (family);
create index former_refresh_tokens_session_idx on former_refresh_tokens (session_id);
alter table former_refresh_tokens enable row level security;
