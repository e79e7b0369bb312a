alter table app_settings enable row level security;
