-- Nobody reads these tables directly; the session functions do.
alter table sessions enable row level security;
alter table refresh_tokens enable row level security;
