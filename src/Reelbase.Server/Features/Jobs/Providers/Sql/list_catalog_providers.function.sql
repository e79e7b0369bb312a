create or replace function list_catalog_providers() returns table (provider text)
language sql stable security definer set search_path = internal, public, pg_temp as $$
  select distinct m.provider from models m order by 1
$$;
comment on function list_catalog_providers() is 'Providers that any model names.';
