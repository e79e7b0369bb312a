-- What operators change while everything runs: flags of the app, and the server's limits that app_setting_limits() names.
create table app_settings (
  key text not null constraint app_settings_pkey primary key,
  value jsonb not null constraint app_settings_value_check check (jsonb_typeof(value) <> 'null' and octet_length(value::text) <= 4096),
  updated_by uuid constraint app_settings_updated_by_fkey references users (id),
  updated_at timestamptz not null default clock_timestamp() constraint app_settings_updated_at_check check (isfinite(updated_at)),
  constraint app_settings_key_check check (octet_length(key) <= 64 and key ~ '^([a-z][a-z0-9_]*(\.[a-z][a-z0-9_]*)*|[A-Z][A-Za-z0-9]*:[A-Z][A-Za-z0-9]*)$')
);
create index app_settings_updated_by_idx on app_settings (updated_by);
alter table app_settings enable row level security;
