alter table content_reports enable row level security;
