-- Which guest a device-check with an id that is no UUID has made: for ten minutes the same id with the same token is the same guest.
-- Neither id nor token is kept, only their SHA-256.
create table device_openings (
  token_hash bytea not null,
  device_hash bytea not null,
  user_id uuid not null constraint device_openings_user_id_fkey references users (id) on delete cascade,
  opened_at timestamptz not null default clock_timestamp(),
  constraint device_openings_pkey primary key (token_hash, device_hash)
);
create index device_openings_opened_idx on device_openings (opened_at);
create index device_openings_user_idx on device_openings (user_id);
alter table device_openings enable row level security;
