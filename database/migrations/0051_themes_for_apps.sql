-- Themes that are featured for a time, in the languages of their readers, with a number that tells apps that one has changed.
alter table themes
  add column featured_until timestamptz,
  add column translations jsonb not null default '{}' constraint themes_translations_check check (
    jsonb_typeof(translations) = 'object' and pg_column_size(translations) <= 16384),
  add column version integer not null default 1;
