-- Text as it is searched, whatever the database's locale is: without case in every script, and with one i, since a Turkish and an English
-- keyboard disagree on which one belongs to I.
create or replace function fold_text(p_text text) returns text
language sql immutable parallel safe strict set search_path = internal, public, pg_temp as $$
  select translate(replace(lower(p_text collate "und-x-icu"), U&'\0307', ''), 'ı', 'i')
$$;
comment on function fold_text(text) is 'The text without case, for finding one in another.';
