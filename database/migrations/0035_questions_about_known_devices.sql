-- What Apple was asked about the token of a known device, and guests who were opened before it had answered.

-- One row for each question: it holds the place of the one question in flight for a device id, keeps the verdict under the token's hash, and counts
-- against the bound of its id and address. Neither id nor token is kept, only their SHA-256.
create table device_questions (
  id uuid not null default gen_random_uuid() constraint device_questions_pkey primary key,
  device_hash text not null,
  token_hash bytea not null,
  -- Null: asked by the worker, or learned while a grant was decided; neither counts against an address.
  network inet,
  asked_at timestamptz not null default clock_timestamp(),
  verdict text constraint device_questions_verdict_check check (verdict in ('accepted', 'refused', 'unknown')),
  decided_at timestamptz,
  leased_by text,
  lease_until timestamptz,
  constraint device_questions_lease_check check ((lease_until is null) = (leased_by is null)),
  constraint device_questions_decided_check check ((verdict is null) = (decided_at is null) and (verdict is null) = (leased_by is not null))
);
create unique index device_questions_in_flight_idx on device_questions (device_hash) where verdict is null;
create index device_questions_token_idx on device_questions (token_hash, decided_at);
create index device_questions_device_idx on device_questions (device_hash, asked_at);
create index device_questions_asked_idx on device_questions (asked_at);
alter table device_questions enable row level security;

-- Guests without credits, opened for a known device while Apple could not be heard. They become part of its guest when Apple accepts a token of that id.
create table temporary_guests (
  user_id uuid not null constraint temporary_guests_pkey primary key
    constraint temporary_guests_user_id_fkey references users (id) on delete cascade,
  device_hash text not null,
  token_hash bytea not null,
  -- Kept until Apple has answered; null: nobody asks by itself any more.
  device_token text,
  run_after timestamptz not null default clock_timestamp(),
  attempt integer not null default 0,
  created_at timestamptz not null default clock_timestamp()
);
create index temporary_guests_device_idx on temporary_guests (device_hash, created_at);
create index temporary_guests_due_idx on temporary_guests (run_after) where device_token is not null;
create index temporary_guests_created_idx on temporary_guests (created_at);
alter table temporary_guests enable row level security;
