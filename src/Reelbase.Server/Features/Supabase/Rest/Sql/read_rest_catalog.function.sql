-- What the exposed schemas hold, and what each role of the API may do with it. Names and expressions come from the catalogue and nowhere else.
create or replace function read_rest_catalog(p_schemas text[]) returns jsonb
language sql stable set search_path = pg_catalog, pg_temp as $$
  with roles as (
    select rolname::text as name, oid from pg_roles where rolname in ('anon', 'authenticated', 'service_role')
  ), exposed as (
    select c.oid, n.nspname, c.relname, c.relkind, c.relrowsecurity, c.reloptions, c.relowner
    from pg_class c join pg_namespace n on n.oid = c.relnamespace
    where n.nspname = any (p_schemas) and c.relkind in ('r', 'p', 'v', 'm', 'f') and not c.relispartition
  ), result_columns as (
    -- A view's column that is just a column of a table.
    select v.oid, (m[1])::int as num, (m[3])::oid as base, (m[4])::int as base_num, m[2] as name
    from exposed v
    join pg_rewrite w on w.ev_class = v.oid and w.rulename = '_RETURN'
    cross join lateral regexp_matches(w.ev_action::text,
      ':resno (\d+) :resname (\S+) :ressortgroupref \d+ :resorigtbl (\d+) :resorigcol (\d+) :resjunk false', 'g') as m
    where v.relkind in ('v', 'm') and m[3] <> '0'
  ), view_columns as (
    select distinct on (r.oid, r.num) r.oid, r.num, r.base, r.base_num
    from result_columns r join pg_attribute a on a.attrelid = r.oid and a.attnum = r.num and a.attname = r.name
    order by r.oid, r.num
  ), known as (
    select oid from exposed union select base from view_columns
  )
  select jsonb_build_object(
    'relations', (
      select coalesce(jsonb_agg(jsonb_build_object(
        'id', e.oid::bigint, 'schema', e.nspname, 'name', e.relname, 'kind', e.relkind,
        'is_guarded', case
          when e.relkind in ('r', 'p') then e.relrowsecurity
          when e.relkind = 'v' then coalesce((select o.option_value::boolean from pg_options_to_table(e.reloptions) o where o.option_name = 'security_invoker'), false)
          else false
        end,
        'insertable', (pg_relation_is_updatable(e.oid, true) & 8) = 8,
        'updatable', (pg_relation_is_updatable(e.oid, true) & 4) = 4,
        'deletable', (pg_relation_is_updatable(e.oid, true) & 16) = 16,
        'deleters', (select coalesce(jsonb_agg(r.name), '[]') from roles r where has_table_privilege(r.oid, e.oid, 'delete')),
        'comment', obj_description(e.oid, 'pg_class'),
        'columns', (
          select coalesce(jsonb_agg(jsonb_build_object(
            'num', a.attnum, 'name', a.attname,
            'type', format_type(a.atttypid, a.atttypmod),
            'base_type', format_type(case when t.typtype = 'd' then t.typbasetype else a.atttypid end, null),
            'domain', case when t.typtype = 'd' then t.typname end,
            'nullable', not a.attnotnull,
            'default', case
              when a.attidentity <> '' then format('nextval(%L::regclass)', pg_get_serial_sequence(format('%I.%I', e.nspname, e.relname), a.attname))
              when a.attgenerated = '' then pg_get_expr(d.adbin, d.adrelid)
            end,
            'comment', col_description(e.oid, a.attnum),
            'select', (select coalesce(jsonb_agg(r.name), '[]') from roles r where has_column_privilege(r.oid, e.oid, a.attnum, 'select')),
            'insert', (select coalesce(jsonb_agg(r.name), '[]') from roles r where has_column_privilege(r.oid, e.oid, a.attnum, 'insert')),
            'update', (select coalesce(jsonb_agg(r.name), '[]') from roles r where has_column_privilege(r.oid, e.oid, a.attnum, 'update')),
            'base', (select jsonb_build_array(v.base::bigint, v.base_num) from view_columns v where v.oid = e.oid and v.num = a.attnum)
          ) order by a.attnum), '[]')
          from pg_attribute a
          join pg_type t on t.oid = a.atttypid
          left join pg_attrdef d on d.adrelid = a.attrelid and d.adnum = a.attnum
          where a.attrelid = e.oid and a.attnum > 0 and not a.attisdropped
        )) order by e.nspname, e.relname), '[]')
      from exposed e
    ),
    'keys', (
      select coalesce(jsonb_agg(jsonb_build_object('table', c.conrelid::bigint, 'is_primary', c.contype = 'p', 'columns', to_jsonb(c.conkey)) order by c.conname), '[]')
      from pg_constraint c join known k on k.oid = c.conrelid
      where c.contype in ('p', 'u')
    ),
    'references', (
      select coalesce(jsonb_agg(jsonb_build_object('name', c.conname, 'table', c.conrelid::bigint, 'columns', to_jsonb(c.conkey),
        'target', c.confrelid::bigint, 'target_columns', to_jsonb(c.confkey)) order by c.conname), '[]')
      from pg_constraint c join known k on k.oid = c.conrelid
      where c.contype = 'f' and c.conparentid = 0
    ),
    'types', (
      select coalesce(jsonb_object_agg(t.typname, format('%I.%I', n.nspname, t.typname)), '{}')
      from pg_type t join pg_namespace n on n.oid = t.typnamespace
      where (n.nspname = 'pg_catalog' or n.nspname = any (p_schemas)) and t.typtype in ('b', 'd', 'e', 'r', 'm') and t.typelem = 0
        and t.typname not like 'reg%' and t.typname not like 'pg\_%' and t.typcategory <> 'Z'
    )
  )
$$;
comment on function read_rest_catalog(text[]) is
  'The tables, views, columns, keys and types of the given schemas with what anon, authenticated and service_role may do, as JSON.';
