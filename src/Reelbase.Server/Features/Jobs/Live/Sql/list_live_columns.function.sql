-- The columns of the tables that are watched, with PostgreSQL's type names, as far as a signed-in user may read them.
create or replace function list_live_columns() returns table (table_name text, column_name text, type_name text)
language sql stable security definer set search_path = internal, public, pg_temp as $$
  select c.relname::text, a.attname::text, coalesce(b.typname, t.typname)::text
  from pg_class c join pg_attribute a on a.attrelid = c.oid join pg_type t on t.oid = a.atttypid
    left join pg_type b on t.typtype = 'd' and b.oid = t.typbasetype
  where c.oid in ('public.video_jobs'::regclass, 'public.users'::regclass) and a.attnum > 0 and not a.attisdropped
    and has_column_privilege('authenticated', c.oid, a.attnum, 'select')
  order by c.relname, a.attnum
$$;
comment on function list_live_columns() is 'Columns of video_jobs and users that signed-in users may read, with their types.';
