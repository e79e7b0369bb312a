-- Codes that give credits. A code itself is never stored, only its keyed hash and its last letters.
create table promo_codes (
  id uuid not null default gen_random_uuid() constraint promo_codes_pkey primary key,
  code_hash bytea not null constraint promo_codes_code_hash_key unique constraint promo_codes_code_hash_check check (octet_length(code_hash) = 32),
  hint text not null constraint promo_codes_hint_check check (hint ~ '^[A-Z0-9]{2,4}$'),
  label text not null constraint promo_codes_label_check check (char_length(label) between 1 and 100),
  credits integer not null constraint promo_codes_credits_check check (credits between 1 and 100000),
  max_redemptions integer not null constraint promo_codes_max_redemptions_check check (max_redemptions between 1 and 1000000),
  -- The cap is this CHECK: of any number at once no more than so many can count it up.
  redeemed integer not null default 0 constraint promo_codes_redeemed_check check (redeemed between 0 and max_redemptions),
  starts_at timestamptz not null default now() constraint promo_codes_starts_at_check check (isfinite(starts_at)),
  ends_at timestamptz constraint promo_codes_ends_at_check check (isfinite(ends_at) and ends_at > starts_at),
  ended_at timestamptz constraint promo_codes_ended_at_check check (isfinite(ended_at)),
  created_by uuid constraint promo_codes_created_by_fkey references users (id),
  created_at timestamptz not null default now()
);
create index promo_codes_created_idx on promo_codes (created_at desc, id);
create index promo_codes_created_by_idx on promo_codes (created_by);
alter table promo_codes enable row level security;

-- Who has redeemed what. Rows stay with the user who redeemed, as ledger rows do.
create table promo_redemptions (
  id uuid not null default gen_random_uuid() constraint promo_redemptions_pkey primary key,
  code_id uuid not null constraint promo_redemptions_code_id_fkey references promo_codes (id),
  number integer not null constraint promo_redemptions_number_check check (number > 0),
  user_id uuid not null constraint promo_redemptions_user_id_fkey references users (id),
  credits integer not null constraint promo_redemptions_credits_check check (credits > 0),
  -- Set when two accounts that had both redeemed the code became one: the second counts no more.
  duplicate_at timestamptz constraint promo_redemptions_duplicate_at_check check (isfinite(duplicate_at)),
  taken_back integer not null default 0 constraint promo_redemptions_taken_back_check check (
    taken_back between 0 and credits and (taken_back = 0 or duplicate_at is not null)),
  created_at timestamptz not null default clock_timestamp(),
  constraint promo_redemptions_number_key unique (code_id, number),
  constraint promo_redemptions_user_key unique (code_id, user_id)
);
create index promo_redemptions_user_idx on promo_redemptions (user_id);
alter table promo_redemptions enable row level security;

-- For whom a code is used up: the account, its devices, its Apple subject, as hashes that differ from code to code. They outlive the account.
create table promo_claims (
  code_id uuid not null constraint promo_claims_code_id_fkey references promo_codes (id),
  kind text not null constraint promo_claims_kind_check check (kind in ('account', 'device', 'apple')),
  subject_hash bytea not null constraint promo_claims_subject_hash_check check (octet_length(subject_hash) = 32),
  redemption_id uuid not null constraint promo_claims_redemption_id_fkey references promo_redemptions (id),
  constraint promo_claims_pkey primary key (code_id, kind, subject_hash)
);
create index promo_claims_redemption_idx on promo_claims (redemption_id);
alter table promo_claims enable row level security;

-- The ledger's new reason. Rows of before fit, so they are checked outside of this transaction.
alter table quota_log drop constraint quota_log_reason_check;
alter table quota_log add constraint quota_log_reason_check check (reason in (
  'video_generation', 'generation_failed_refund', 'initial_grant', 'iap_purchase', 'apple_refund',
  'apple_refund_reversed', 'admin_refund', 'admin_adjustment', 'merge', 'migration_correction', 'promo_code')) not valid;
-- Given once for each redemption; taken back only by a merge.
alter table quota_log add constraint quota_log_promo_check check (
  reason <> 'promo_code' or change > 0 or coalesce(transaction_id like 'promo:%:merge', false)) not valid;
