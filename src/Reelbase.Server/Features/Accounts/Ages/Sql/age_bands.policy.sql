alter table age_bands enable row level security;
