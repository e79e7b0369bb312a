alter table users validate constraint users_app_transactions_check;
alter table user_consents validate constraint user_consents_kind_check;
create index concurrently users_app_transactions_idx on users using gin (app_transactions) where app_transactions <> '{}';
