-- Times that come from outside (an older database, Apple, an admin) may be infinity, which no client can parse. What was imported is
-- brought into the range of moments (a model that never ends has no end), and from now on these tables take nothing else. The checks are
-- validated outside the transaction, where reading a whole table is in nobody's way.
do $$
declare
  c_is_no_moment constant text := '%1$I not between ''0001-01-01 00:00:00+00'' and ''9999-12-31 23:59:59+00''';
  v_table record;
  v_count bigint;
begin
  -- Earlier migrations may have changed rows in this transaction, and a table with checks to come cannot be altered.
  set constraints all immediate;
  for v_table in
    select c.oid::regclass as name, c.relname,
      string_agg(format(c_is_no_moment, a.attname), ' or ' order by a.attnum) as is_wrong,
      string_agg(format('%1$I = case when ' || c_is_no_moment || ' then %2$s else %1$I end', a.attname,
        case when a.attname = 'sunset_at' then 'null' else format('case when %I > now() then now() else ''epoch'' end', a.attname) end),
        ', ' order by a.attnum) as mended,
      string_agg('not (' || format(c_is_no_moment, a.attname) || ')', ' and ' order by a.attnum) as is_right
    from pg_class c join pg_attribute a on a.attrelid = c.oid and a.atttypid = 'timestamptz'::regtype and a.attnum > 0 and not a.attisdropped
    where c.relname in ('users', 'models', 'themes', 'video_jobs', 'quota_log', 'purchases') and c.relnamespace = 'public'::regnamespace
    group by c.oid, c.relname order by c.relname
  loop
    execute format('select count(*) from %s where %s', v_table.name, v_table.is_wrong) into v_count;
    if v_count > 0 then
      -- No rule of these tables is about such a change, and the ledger's would refuse it.
      execute format('alter table %s disable trigger user', v_table.name);
      execute format('update %s set %s where %s', v_table.name, v_table.mended, v_table.is_wrong);
      execute format('alter table %s enable trigger user', v_table.name);
      insert into reelbase.migration_report (line)
      values (format('%s: %s rows had a time that is no moment (infinity); it is now, 1970 or none instead', v_table.relname, v_count));
    end if;
    execute format('alter table %s add constraint %I check (%s) not valid', v_table.name, v_table.relname || '_times_check', v_table.is_right);
  end loop;
  set constraints all deferred;
end
$$;
