-- A time of another database; one without a zone is UTC, and what is no moment (infinity) is null.
create or replace function internal.import_moment(p_text text) returns timestamptz
language sql stable set search_path = internal, public, pg_temp set timezone = 'UTC' as $$
  select case when p_text ~ '^[0-9]{4}-[0-9]{2}-[0-9]{2}T' and p_text !~ 'BC' and left(p_text, 4) <> '0000' then p_text::timestamptz end
$$;
comment on function internal.import_moment(text) is 'A moment of another database, or null. For the import, which runs as the owner.';
