alter table models enable row level security;
drop policy if exists models_read_offered on models;
create policy models_read_offered on models for select to anon, authenticated
  using (model_is_offered(is_available, provider_model_id, sunset_at) and provider_is_offered(provider));
alter table themes enable row level security;
drop policy if exists themes_read_available on themes;
create policy themes_read_available on themes for select to anon, authenticated using (is_available);
alter table foreign_results enable row level security;
