-- Work that was tried too often stays in its table, dead, where an operator sees it.

alter table webhook_deliveries add column dead_at timestamptz;
alter table push_notifications add column dead_at timestamptz;
alter table apple_authorizations add column dead_at timestamptz;
alter table alerts add column dead_at timestamptz;
alter table storage_objects add column dead_at timestamptz, add column last_error text;
alter table purchase_claims add column dead_at timestamptz, add column last_error text;
