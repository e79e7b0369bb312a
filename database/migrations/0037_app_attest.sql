-- App Attest: challenges that phones sign, and the keys of device ids.

-- Challenges that were given out, by their SHA-256. Each may be used once, on whichever node.
create table device_challenges (
  challenge_hash bytea not null constraint device_challenges_pkey primary key
    constraint device_challenges_hash_check check (octet_length(challenge_hash) = 32),
  expires_at timestamptz not null,
  used_at timestamptz
);
create index device_challenges_expires_idx on device_challenges (expires_at);
alter table device_challenges enable row level security;

-- Keys in phones' Secure Enclaves, as Apple has certified them; public halves only. A key belongs to one device id.
create table device_keys (
  key_id bytea not null constraint device_keys_pkey primary key constraint device_keys_id_check check (octet_length(key_id) = 32),
  device_hash text not null,
  -- Whom a device-check with this key opens.
  user_id uuid not null constraint device_keys_user_id_fkey references users (id) on delete cascade,
  -- A key of the id's own opens the id's guest; any other opens the guest without credits who was made for it, until it may join.
  is_joined boolean not null,
  public_key bytea not null constraint device_keys_public_key_check check (octet_length(public_key) = 65),
  app_id text not null,
  environment text not null constraint device_keys_environment_check check (environment in ('production', 'development')),
  category integer,
  counter bigint not null default 0 constraint device_keys_counter_check check (counter between 0 and 4294967295),
  created_at timestamptz not null default clock_timestamp(),
  last_used_at timestamptz not null default clock_timestamp()
);
create index device_keys_device_idx on device_keys (device_hash, is_joined, last_used_at);
create index device_keys_user_idx on device_keys (user_id);
alter table device_keys enable row level security;
