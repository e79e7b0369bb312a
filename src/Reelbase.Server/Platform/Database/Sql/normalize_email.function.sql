-- E-mails are compared without regard to ASCII case, whatever the database's locale is: in Turkish lower('INFO') is 'ınfo'. Other letters stay as
-- they are, since two addresses that differ in them belong to two people.
create or replace function internal.normalize_email(p_email text) returns text
language sql immutable parallel safe strict set search_path = internal, public, pg_temp as $$
  select lower(p_email collate "C")
$$;
comment on function internal.normalize_email(text) is 'The e-mail as it is compared and indexed.';
