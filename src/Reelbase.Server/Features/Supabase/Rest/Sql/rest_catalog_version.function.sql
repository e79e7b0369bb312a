-- One text that differs as soon as anything that read_rest_catalog answers may differ; cheap enough to be asked every other second.
create or replace function rest_catalog_version(p_schemas text[]) returns text
language sql stable set search_path = pg_catalog, pg_temp as $$
  with exposed as (
    select c.oid, c.xmin from pg_class c where c.relnamespace = any (select n.oid from pg_namespace n where n.nspname = any (p_schemas)) and c.relkind in ('r', 'p', 'v', 'm', 'f')
  )
  select encode(sha256(convert_to(concat_ws(' ',
    (select string_agg(e.oid || '.' || e.xmin, ',' order by e.oid) from exposed e),
    (select string_agg(a.attrelid || '.' || a.attnum || '.' || a.xmin, ',' order by a.attrelid, a.attnum)
      from pg_attribute a where a.attrelid in (select e.oid from exposed e) and a.attnum > 0),
    (select string_agg(c.oid || '.' || c.xmin, ',' order by c.oid) from pg_constraint c where c.conrelid in (select e.oid from exposed e)),
    (select string_agg(n.oid || '.' || n.xmin, ',' order by n.oid) from pg_namespace n where n.nspname = any (p_schemas)),
    (select string_agg(r.oid || '.' || r.rolname, ',' order by r.oid) from pg_roles r where r.rolname in ('anon', 'authenticated', 'service_role')),
    (select count(*) from pg_auth_members m)), 'UTF8')), 'hex')
$$;
comment on function rest_catalog_version(text[]) is 'A text that changes whenever tables, columns, keys or grants of the given schemas change.';
