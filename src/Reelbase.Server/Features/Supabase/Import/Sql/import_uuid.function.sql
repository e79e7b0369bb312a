-- An id of another database as a uuid; null for what is none.
create or replace function internal.import_uuid(p_text text) returns uuid
language sql immutable set search_path = internal, public, pg_temp as $$
  select case when p_text ~* '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$' then p_text::uuid end
$$;
comment on function internal.import_uuid(text) is 'A uuid of another database, or null. For the import, which runs as the owner.';
