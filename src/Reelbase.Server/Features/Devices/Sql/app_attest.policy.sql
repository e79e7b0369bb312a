alter table device_challenges enable row level security;
alter table device_keys enable row level security;
