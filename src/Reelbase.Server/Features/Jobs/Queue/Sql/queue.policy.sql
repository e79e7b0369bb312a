alter table queue_lanes enable row level security;
alter table queue_marks enable row level security;
