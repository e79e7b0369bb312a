alter table schedules enable row level security;
alter table installation enable row level security;
