-- Apple's ids of the app's downloads that an account is known by, as ENVIRONMENT:ID; the newest twenty. They come from purchases and are asked by one notification only.
alter table users add column app_transactions text[] not null default '{}';
alter table users add constraint users_app_transactions_check check (
  cardinality(app_transactions) <= 20 and array_position(app_transactions, null) is null) not valid;
-- Downloads whose guardian has taken back that a child uses the app, as Apple has said; also of ones that no account is known by yet.
create table rescinded_consents (
  app_transaction text not null constraint rescinded_consents_pkey primary key constraint rescinded_consents_app_transaction_check check (char_length(app_transaction) between 1 and 200),
  rescinded_at timestamptz not null constraint rescinded_consents_rescinded_at_check check (isfinite(rescinded_at))
);
alter table rescinded_consents enable row level security;
-- A guardian's consent is one of the kinds now.
alter table user_consents drop constraint user_consents_kind_check;
alter table user_consents add constraint user_consents_kind_check check (kind in ('terms', 'ai_processing', 'consumption_data', 'guardian')) not valid;
