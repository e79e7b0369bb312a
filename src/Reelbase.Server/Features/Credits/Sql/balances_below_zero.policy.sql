alter table balances_below_zero enable row level security;
