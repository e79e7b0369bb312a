alter table storage_use enable row level security;
alter table storage_use_changes enable row level security;
alter table storage_alert enable row level security;
