alter table webhook_deliveries enable row level security;
