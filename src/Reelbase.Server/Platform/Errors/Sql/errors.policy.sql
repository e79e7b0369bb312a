alter table error_log enable row level security;
