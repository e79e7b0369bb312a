alter table device_checks enable row level security;
alter table device_openings enable row level security;
alter table device_grants enable row level security;
alter table installation_leases enable row level security;
alter table device_questions enable row level security;
alter table temporary_guests enable row level security;
