-- Until when the password that the command line made is good; null: the admin has chosen one, or has it from before. Whoever made it knows it too.
alter table admin_credentials add column initial_until timestamptz;
