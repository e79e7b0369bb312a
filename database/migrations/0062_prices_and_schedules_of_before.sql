-- Runs as the migrating role, because the tables it reads belong to it.
-- What a database that is taken over in place still lacks after 0005: prices that the former app kept as base_price (for each second, or for a generation), the
-- end of models that their vendor has shut down, and an end of what pg_cron would go on doing to tables that are ours now. Prices that an admin has looked at stay.
do $$
declare
  c_tables constant text := '\m(users|models|themes|video_jobs|quota_log|idempotency_log|refresh_tokens|device_checks|rate_limit_log|error_log|webhook_deliveries|storage_objects)\M';
  v_model record;
  v_job record;
  v_name text;
begin
  if to_regnamespace('before_reelbase') is null then
    return;
  end if;
  if exists (select from pg_attribute where attrelid = to_regclass('before_reelbase.models') and attname = 'base_price' and not attisdropped) then
    for v_model in execute $q$
        select m.id, m.name, (t.o ->> 'base_price')::numeric as base, t.o ->> 'pricing_type' as type_of, t.o ->> 'cost_per_generation' as listed
        from (select to_jsonb(t) as o from before_reelbase.models t) t join public.models m on m.id::text = t.o ->> 'id'
        where (t.o ->> 'base_price')::numeric between 0.0001 and 100000 and m.pricing_type = 'per_generation' and m.credits_per_second is null
          and (t.o ->> 'pricing_type' = 'per_second' or t.o ->> 'cost_per_generation' is null)
          and not exists (select from public.admin_actions a where a.target_model_id = m.id) order by m.id $q$ loop
      if v_model.type_of = 'per_second' then
        update public.models set pricing_type = 'per_second', credits_per_second = ceil(v_model.base * 10)::integer where id = v_model.id;
      else
        update public.models set cost_per_generation = ceil(v_model.base * 10)::integer where id = v_model.id;
      end if;
      insert into reelbase.migration_report (line)
      select format('model %s (%s): base_price %s %s is %s credits%s; cost_per_generation said %s', v_model.id, v_model.name, v_model.base,
        case v_model.type_of when 'per_second' then 'a second' else 'a generation' end, ceil(v_model.base * 10)::integer,
        case v_model.type_of when 'per_second' then format(', so 12 seconds cost %s', 12 * ceil(v_model.base * 10)::integer) else '' end, coalesce(v_model.listed, 'nothing'));
    end loop;
  end if;

  for v_model in
    update public.models m set sunset_at = '2026-09-24 00:00:00+00' where m.sunset_at is null and m.provider_model_id ~* '(^|/)sora-2(/|$)' and m.is_available
    returning m.id, m.name, m.is_active
  loop
    insert into reelbase.migration_report (line)
    values (format('model %s (%s) was shut down by its vendor on 2026-09-24: it is not offered%s', v_model.id, v_model.name,
      case when v_model.is_active then '. It is the active one: requests with a theme go to nobody until an admin makes another model active' else '' end));
  end loop;

  if to_regclass('cron.job') is null then
    return;
  end if;
  begin
    for v_job in execute 'select jobid, jobname, schedule, command from (select (to_jsonb(t) ->> ''jobid'')::bigint as jobid, to_jsonb(t) ->> ''jobname'' as jobname,
        to_jsonb(t) ->> ''schedule'' as schedule, to_jsonb(t) ->> ''command'' as command, coalesce((to_jsonb(t) ->> ''active'')::boolean, true) as active,
        coalesce(to_jsonb(t) ->> ''database'', current_database()) as database from cron.job t) j where active and database = current_database() order by jobid' loop
      select p.proname into v_name from pg_proc p
      where p.pronamespace in ('public'::regnamespace, 'before_reelbase'::regnamespace) and p.proowner <> 'reelbase_owner'::regrole
        and v_job.command ~* ('\m' || regexp_replace(p.proname, '([^a-z0-9_])', '\\\1', 'gi') || '\M') limit 1;
      if v_name is null and v_job.command !~* c_tables then
        insert into reelbase.migration_report (line)
        values (format('pg_cron job %s (%s) names none of the old tables or functions and goes on: look at what it does', coalesce(quote_literal(v_job.jobname), v_job.jobid::text), v_job.schedule));
        continue;
      end if;
      if to_regprocedure('cron.alter_job(bigint, text, text, text, text, boolean)') is not null then
        execute 'select cron.alter_job($1, null, null, null, null, false)' using v_job.jobid;
      else
        execute 'update cron.job set active = false where jobid = $1' using v_job.jobid;
      end if;
      insert into reelbase.migration_report (line)
      values (format('pg_cron job %s (%s) would act on the new tables and was switched off: %s', coalesce(quote_literal(v_job.jobname), v_job.jobid::text), v_job.schedule, left(v_job.command, 200)));
    end loop;
  exception when insufficient_privilege then
    insert into reelbase.migration_report (line)
    values ('pg_cron has jobs that the migrating role may not switch off, and they would act on the new tables: select * from cron.job, then cron.unschedule, as their owner');
  end;
end
$$;
