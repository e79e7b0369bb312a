-- What can be bought, what was bought, and what users have agreed to.

create table products (
  product_id text primary key constraint products_product_id_check check (char_length(product_id) between 1 and 200),
  credits integer not null constraint products_credits_check check (credits between 1 and 1000000),
  grants_tier text constraint products_grants_tier_check check (grants_tier = 'premium'),
  is_active boolean not null default true,
  created_at timestamptz not null default now()
);

create table purchases (
  environment text not null constraint purchases_environment_check check (environment in ('Production', 'Sandbox')),
  transaction_id text not null constraint purchases_transaction_id_check check (char_length(transaction_id) between 1 and 200),
  -- Null until somebody is known to own it: a refund or a charge can be heard of before the app reports anything.
  user_id uuid constraint purchases_user_id_fkey references users (id),
  product_id text not null constraint purchases_product_id_fkey references products (product_id),
  quantity integer not null constraint purchases_quantity_check check (quantity between 1 and 1000),
  credits integer not null constraint purchases_credits_check check (credits > 0),
  -- Apple's figure in thousandths of the currency, for all units together; for support, not for accounting.
  price_milliunits bigint,
  currency text,
  -- What is refunded of it by Apple's latest word, in thousandths of a percent.
  revoked_percentage integer not null default 0 constraint purchases_revoked_percentage_check check (revoked_percentage between 0 and 100000),
  credits_taken_back integer not null default 0,
  refunds integer not null default 0,
  reversals integer not null default 0,
  -- When Apple signed its latest word; an older one that arrives later changes nothing.
  signed_at timestamptz not null,
  purchased_at timestamptz not null,
  credited_at timestamptz,
  source text not null constraint purchases_source_check check (source in ('app', 'notification', 'reconciliation')),
  refund_requested_at timestamptz,
  -- When Apple was last told how much of it is used; once for each wish for a refund.
  consumption_sent_at timestamptz,
  -- When Apple was last asked about its buyer.
  checked_at timestamptz,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  constraint purchases_pkey primary key (environment, transaction_id),
  constraint purchases_taken_back_check check (credits_taken_back between 0 and credits),
  constraint purchases_credited_check check (credited_at is null or user_id is not null)
);
create index purchases_user_idx on purchases (user_id);
create index purchases_sandbox_idx on purchases (credited_at) where environment = 'Sandbox';
create index purchases_checked_idx on purchases (checked_at nulls first, purchased_at) where credited_at is not null;

create table user_consents (
  id bigint generated always as identity primary key,
  user_id uuid not null constraint user_consents_user_id_fkey references users (id) on delete cascade,
  kind text not null constraint user_consents_kind_check check (kind in ('terms', 'ai_processing', 'consumption_data')),
  version text not null constraint user_consents_version_check check (char_length(version) between 1 and 50),
  granted_at timestamptz not null default now(),
  withdrawn_at timestamptz
);
create unique index user_consents_one_idx on user_consents (user_id, kind, version) where withdrawn_at is null;
