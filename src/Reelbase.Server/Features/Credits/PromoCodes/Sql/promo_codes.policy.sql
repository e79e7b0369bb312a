alter table promo_codes enable row level security;
alter table promo_redemptions enable row level security;
alter table promo_claims enable row level security;
