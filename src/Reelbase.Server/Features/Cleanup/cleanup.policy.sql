alter table schedules enable row level security;
