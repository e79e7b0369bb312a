-- Keys that admins sign in with instead of password and code (WebAuthn). Only the public half is here.
create table admin_passkeys (
  id uuid primary key default gen_random_uuid(),
  user_id uuid not null constraint admin_passkeys_user_id_fkey references users (id) on delete cascade,
  name text not null constraint admin_passkeys_name_check check (char_length(btrim(name)) between 1 and 100),
  credential_id bytea not null constraint admin_passkeys_credential_id_check check (octet_length(credential_id) between 1 and 1023),
  -- As COSE.
  public_key bytea not null constraint admin_passkeys_public_key_check check (octet_length(public_key) between 1 and 4096),
  -- What the key last counted; 0 for keys that do not count.
  sign_count bigint not null constraint admin_passkeys_sign_count_check check (sign_count >= 0),
  created_at timestamptz not null default now(),
  last_used_at timestamptz,
  constraint admin_passkeys_credential_id_key unique (credential_id)
);
create index admin_passkeys_user_idx on admin_passkeys (user_id, created_at);
alter table admin_passkeys enable row level security;

-- What a browser has to sign, as hashes: each is good for one attempt and a few minutes.
create table admin_passkey_challenges (
  hash bytea primary key,
  -- Whose new key it is for; null: for signing in, when nobody knows yet who it is.
  user_id uuid constraint admin_passkey_challenges_user_id_fkey references users (id) on delete cascade,
  expires_at timestamptz not null
);
create index admin_passkey_challenges_expires_idx on admin_passkey_challenges (expires_at);
create index admin_passkey_challenges_user_idx on admin_passkey_challenges (user_id) where user_id is not null;
alter table admin_passkey_challenges enable row level security;
