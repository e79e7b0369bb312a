alter table products enable row level security;
alter table purchases enable row level security;
alter table purchase_claims enable row level security;
alter table reconciliations enable row level security;
alter table user_consents enable row level security;
