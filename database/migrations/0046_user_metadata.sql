-- What an app keeps about its user through the auth API (updateUser). Small, because access tokens carry it.
alter table users
  add column user_metadata jsonb not null default '{}',
  add constraint users_user_metadata_check check (jsonb_typeof(user_metadata) = 'object' and octet_length(user_metadata::text) <= 2048) not valid;
alter table users validate constraint users_user_metadata_check;
