-- Runs as the migrating role, because the tables it reads belong to it.
-- What a database that is taken over in place kept of its users' consents, under either of the names that the import knows, and pg_cron jobs that name a table of
-- before which 0062 did not know. Tables that were set aside and that nobody carries over are reported with what is in them.
do $$
declare
  c_carried constant text[] := array['users', 'models', 'themes', 'video_jobs', 'quota_log'];
  v_old regclass;
  v_table record;
  v_job record;
  v_count bigint;
  v_carried bigint;
begin
  if to_regnamespace('before_reelbase') is null then
    return;
  end if;
  perform set_config('timezone', 'UTC', true);
  select c.oid into v_old
  from unnest(array['before_reelbase.user_consents', 'public.consents']) n join pg_class c on c.oid = to_regclass(n)
  where exists (select from pg_attribute a where a.attrelid = c.oid and a.attname = 'user_id' and not a.attisdropped)
  order by n limit 1;
  if v_old is not null then
    execute format('select count(*) from %s', v_old) into v_count;
    execute format($q$
      insert into public.user_consents (user_id, kind, version, granted_at, withdrawn_at)
      select u.id, t.o ->> 'kind', left(t.o ->> 'version', 50), coalesce(m.granted_at, now()), m.withdrawn_at
      from (select to_jsonb(t) as o from %s t) t join public.users u on u.id::text = lower(t.o ->> 'user_id')
      cross join lateral (select case when t.o ->> 'granted_at' ~ '^[12][0-9]{3}-[01][0-9]-[0-3][0-9]([T ][0-9:.]+([+-][0-9:]+|Z)?)?$' then (t.o ->> 'granted_at')::timestamptz end as granted_at,
        case when t.o ->> 'withdrawn_at' ~ '^[12][0-9]{3}-[01][0-9]-[0-3][0-9]([T ][0-9:.]+([+-][0-9:]+|Z)?)?$' then (t.o ->> 'withdrawn_at')::timestamptz end as withdrawn_at) m
      where t.o ->> 'kind' in ('terms', 'ai_processing', 'consumption_data') and nullif(t.o ->> 'version', '') is not null
      order by m.granted_at on conflict do nothing $q$, v_old);
    get diagnostics v_carried = row_count;
    insert into reelbase.migration_report (line)
    values (format('%s: %s of %s consents were carried over%s', v_old::regclass, v_carried, v_count,
      case when v_carried < v_count then '; the others are of another kind, given twice, or nobody''s, and lie there still' else '' end));
  end if;

  for v_table in select c.relname from pg_class c where c.relnamespace = 'before_reelbase'::regnamespace and c.relkind in ('r', 'p', 'f')
      and c.relname <> all (c_carried) and c.oid is distinct from v_old order by c.relname loop
    execute format('select count(*) from before_reelbase.%I', v_table.relname) into v_count;
    insert into reelbase.migration_report (line)
    select format('table before_reelbase.%I: %s rows of before have a name that is ours; they were set aside and not carried over', v_table.relname, v_count) where v_count > 0;
  end loop;

  if to_regclass('cron.job') is null then
    return;
  end if;
  begin
    for v_job in execute 'select jobid, jobname, schedule, command from (select (to_jsonb(t) ->> ''jobid'')::bigint as jobid, to_jsonb(t) ->> ''jobname'' as jobname,
        to_jsonb(t) ->> ''schedule'' as schedule, to_jsonb(t) ->> ''command'' as command, coalesce((to_jsonb(t) ->> ''active'')::boolean, true) as active,
        coalesce(to_jsonb(t) ->> ''database'', current_database()) as database from cron.job t) j where active and database = current_database() order by jobid' loop
      continue when not exists (
        select from pg_class c where c.relnamespace = 'before_reelbase'::regnamespace and c.relkind in ('r', 'p', 'v', 'm', 'f') and v_job.command ~* ('\m' || c.relname || '\M'));
      if to_regprocedure('cron.alter_job(bigint, text, text, text, text, boolean)') is not null then
        execute 'select cron.alter_job($1, null, null, null, null, false)' using v_job.jobid;
      else
        execute 'update cron.job set active = false where jobid = $1' using v_job.jobid;
      end if;
      delete from reelbase.migration_report where line like format('pg_cron job %s (%%) names none of the old tables%%', coalesce(quote_literal(v_job.jobname), v_job.jobid::text));
      insert into reelbase.migration_report (line)
      values (format('pg_cron job %s (%s) would act on the new tables and was switched off: %s', coalesce(quote_literal(v_job.jobname), v_job.jobid::text), v_job.schedule, left(v_job.command, 200)));
    end loop;
  exception when insufficient_privilege then
    -- 0062 has said that the migrating role may not.
    null;
  end;
end
$$;
