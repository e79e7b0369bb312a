alter table apple_authorizations enable row level security;
