alter table consent_terms enable row level security;
