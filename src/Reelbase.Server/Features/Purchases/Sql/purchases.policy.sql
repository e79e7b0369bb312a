alter table products enable row level security;
drop policy if exists products_read_active on products;
create policy products_read_active on products for select to anon, authenticated using (is_active);
alter table purchases enable row level security;
alter table purchase_claims enable row level security;
alter table reconciliations enable row level security;
alter table user_consents enable row level security;
alter table rescinded_consents enable row level security;
