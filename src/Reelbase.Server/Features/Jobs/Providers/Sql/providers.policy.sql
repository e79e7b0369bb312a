alter table provider_states enable row level security;
alter table provider_spend enable row level security;
alter table alerts enable row level security;
