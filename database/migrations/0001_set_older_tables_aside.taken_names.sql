-- Runs as the migrating role, because the tables it finds belong to it.
-- The second half of 0001, which sets aside what the first plan named. Whatever else has a name that a later migration gives to a table or function of ours would
-- end that migration: in a database that is taken over in place it is moved to before_reelbase as well, and anywhere else it is named, since it belongs to
-- somebody who still uses it. The migrator says which names are ours.
do $$
declare
  c_tables constant text[] := string_to_array(nullif(current_setting('reelbase.tables', true), ''), ',');
  c_functions constant text[] := string_to_array(nullif(current_setting('reelbase.functions', true), ''), ',');
  v_is_taken_over constant boolean := to_regnamespace('before_reelbase') is not null and to_regclass('public.users') is null;
  v_found record;
begin
  for v_found in
    select c.relname as name, case c.relkind when 'v' then 'view' when 'm' then 'materialized view' when 'f' then 'foreign table' else 'table' end as kind, pg_get_userbyid(c.relowner) as owner
    from pg_class c
    where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p', 'v', 'm', 'f') and c.relname = any (c_tables)
      and c.relowner <> 'reelbase_owner'::regrole and not exists (select from pg_depend d where d.objid = c.oid and d.deptype = 'e')
    order by c.relkind in ('v', 'm'), c.relname
  loop
    if not v_is_taken_over then
      raise exception 'public.% is there already, a % of %, and this release makes a table of that name', v_found.name, v_found.kind, v_found.owner
        using errcode = '42P07', hint = format('move it out of the way (create schema aside; alter %s public.%I set schema aside) and migrate again', v_found.kind, v_found.name);
    end if;
    execute format('alter %s public.%I set schema before_reelbase', v_found.kind, v_found.name);
  end loop;
  if not v_is_taken_over then
    return;
  end if;
  for v_found in
    select p.oid::regprocedure as name from pg_proc p
    where p.pronamespace = 'public'::regnamespace and p.prokind in ('f', 'p') and p.proname = any (c_functions)
      and p.proowner <> 'reelbase_owner'::regrole and not exists (select from pg_depend d where d.objid = p.oid and d.deptype = 'e')
  loop
    execute format('alter routine %s set schema before_reelbase', v_found.name);
  end loop;
end
$$;
