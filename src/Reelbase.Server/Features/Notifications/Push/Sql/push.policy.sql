alter table push_tokens enable row level security;
alter table push_notifications enable row level security;
