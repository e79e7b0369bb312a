-- Runs as the migrating role, because the tables it reads belong to it.
-- Carries the rows of an older database (see 0001) over into ours: what is missing is filled in, what is double is told
-- apart, and each user whose log does not add up to their balance gets one correction and a line in the report. Old
-- columns are read by name from JSON, since no two old databases have quite the same. Times without a zone are UTC.
do $$
declare
  v_extra record;
  v_key record;
  v_count bigint;
begin
  if to_regnamespace('before_reelbase') is null then
    return;
  end if;
  perform set_config('timezone', 'UTC', true);
  -- A table that the old database did not have is an empty one.
  create temporary table old_rows (kind text not null, o jsonb not null) on commit drop;
  for v_extra in select relname from pg_class where relnamespace = 'before_reelbase'::regnamespace and relkind in ('r', 'p')
                 and relname in ('users', 'models', 'themes', 'video_jobs', 'quota_log') loop
    execute format('insert into old_rows select %L, to_jsonb(t) from before_reelbase.%I t', v_extra.relname, v_extra.relname);
  end loop;

  -- Users. A device id in uuid form is kept in small letters, as it is looked up. Of several users with one device id or
  -- Apple id the one with the most credits keeps it; the others stay reachable by their own id.
  with plain as (
    select o, (o ->> 'id')::uuid as id, nullif(o ->> 'email', '') as email,
      case when o ->> 'device_id' ~* '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$' then lower(o ->> 'device_id')
        else nullif(o ->> 'device_id', '') end as device_id,
      nullif(o ->> 'apple_sub', '') as apple_sub, coalesce((o ->> 'credits_remaining')::integer, 0) as credits,
      coalesce((o ->> 'created_at')::timestamptz, now()) as created_at
    from old_rows where kind = 'users'),
  numbered as (
    select p.*, row_number() over (partition by device_id order by credits desc, created_at, id) as device_number,
      row_number() over (partition by apple_sub order by credits desc, created_at, id) as apple_number
    from plain p)
  insert into users (id, email, device_id, apple_sub, is_guest, tier, credits_remaining, initial_grant_claimed, language,
    language_chosen_at, theme_preference, is_admin, banned_at, deleted_at, created_at, updated_at)
  select n.id, n.email,
    case when n.device_number = 1 then n.device_id else n.device_id || ':duplicate:' || (n.device_number - 1) end,
    case when n.apple_number = 1 then n.apple_sub else n.apple_sub || ':duplicate:' || (n.apple_number - 1) end,
    case when n.email is null and n.apple_sub is null then true
      else coalesce((o ->> 'is_guest')::boolean, false) end,
    case when o ->> 'tier' = 'premium' then 'premium' else 'free' end,
    n.credits, coalesce((o ->> 'initial_grant_claimed')::boolean, exists (
      select from old_rows q where q.kind = 'quota_log' and q.o ->> 'user_id' = n.o ->> 'id' and q.o ->> 'reason' = 'initial_grant')),
    case when o ->> 'language' in ('en', 'tr', 'es') then o ->> 'language' else 'en' end,
    case when o ->> 'language' in ('tr', 'es') then now() end,
    case when o ->> 'theme_preference' in ('light', 'dark') then o ->> 'theme_preference' else 'system' end,
    coalesce((o ->> 'is_admin')::boolean, false), (o ->> 'banned_at')::timestamptz, (o ->> 'deleted_at')::timestamptz,
    n.created_at, coalesce((o ->> 'updated_at')::timestamptz, n.created_at)
  from numbered n;
  insert into reelbase.migration_report (line)
  select format('user %s: another user had the same device id or Apple id; this one''s was marked as a duplicate', id)
  from users where device_id like '%:duplicate:%' or apple_sub like '%:duplicate:%';

  insert into models (id, name, category, description, cost_per_generation, provider, provider_model_id, is_featured,
    is_available, is_active, pricing_type, credits_per_second, required_fields, has_audio, thumbnail_url, sunset_at,
    provider_cost, created_at)
  select (o ->> 'id')::uuid, coalesce(nullif(o ->> 'name', ''), 'Unnamed model'), coalesce(nullif(o ->> 'category', ''), 'video'),
    o ->> 'description', greatest(coalesce((o ->> 'cost_per_generation')::numeric::integer, 1), 1),
    case when lower(o ->> 'provider') ~ '^[a-z][a-z0-9_]{1,30}$' then lower(o ->> 'provider') else 'fal' end,
    nullif(o ->> 'provider_model_id', ''), coalesce((o ->> 'is_featured')::boolean, false),
    coalesce((o ->> 'is_available')::boolean, true),
    coalesce((o ->> 'is_active')::boolean, false) and row_number() over (
      partition by coalesce((o ->> 'is_active')::boolean, false) order by o ->> 'created_at', o ->> 'id') = 1,
    case when o ->> 'pricing_type' = 'per_second' and (o ->> 'credits_per_second')::numeric::integer > 0
      then 'per_second' else 'per_generation' end,
    (o ->> 'credits_per_second')::numeric::integer,
    case when jsonb_typeof(o -> 'required_fields') = 'object' then o -> 'required_fields' else '{}' end,
    coalesce((o ->> 'has_audio')::boolean, false), nullif(o ->> 'thumbnail_url', ''), (o ->> 'sunset_at')::timestamptz,
    case when (o ->> 'provider_cost')::numeric >= 0 then (o ->> 'provider_cost')::numeric end,
    coalesce((o ->> 'created_at')::timestamptz, now())
  from old_rows where kind = 'models';
  insert into reelbase.migration_report (line)
  select format('model %s (%s) has no provider_model_id: it is not offered until it gets one', id, name)
  from models where provider_model_id is null;

  insert into themes (id, name, description, thumbnail_url, prompt, is_featured, is_available, default_settings, created_at)
  select (o ->> 'id')::uuid, coalesce(nullif(o ->> 'name', ''), 'Unnamed theme'), o ->> 'description', o ->> 'thumbnail_url',
    coalesce(o ->> 'prompt', ''), coalesce((o ->> 'is_featured')::boolean, false), coalesce((o ->> 'is_available')::boolean, true),
    case when jsonb_typeof(o -> 'default_settings') = 'object'
        and not jsonb_path_exists(jsonb_strip_nulls(o -> 'default_settings'), '$.** ? (@ == null)')
      then jsonb_strip_nulls(o -> 'default_settings') else '{}' end,
    coalesce((o ->> 'created_at')::timestamptz, now())
  from old_rows where kind = 'themes';

  -- Jobs. What was under way has nobody left who would finish it: it waits as ambiguous with its deadline over, so the
  -- worker ends it and refunds what the ledger charged.
  with plain as (
    select o, coalesce(o ->> 'job_id', o ->> 'id')::uuid as job_id, u.id as user_id, m.id as model_id, m.name as model_name,
      m.provider, t.id as theme_id, coalesce((o ->> 'created_at')::timestamptz, now()) as created_at,
      case when o ->> 'status' = 'completed' then 'completed'
        when o ->> 'status' in ('failed', 'error', 'cancelled', 'canceled') then 'failed' else 'processing' end as status
    from old_rows
    join users u on u.id::text = o ->> 'user_id'
    left join models m on m.id::text = o ->> 'model_id'
    left join themes t on t.id::text = o ->> 'theme_id'
    where kind = 'video_jobs')
  insert into video_jobs (job_id, user_id, model_id, theme_id, model_name, prompt, settings, image_url, status, stage,
    video_url, thumbnail_url, credits_used, error_code, error_message, provider, provider_job_id, created_at, completed_at,
    deleted_at, run_after, deadline_at)
  select p.job_id, p.user_id, p.model_id, p.theme_id, coalesce(p.model_name, 'Removed model'), left(coalesce(o ->> 'prompt', ''), 8000),
    case when jsonb_typeof(o -> 'settings') = 'object' then o -> 'settings' else '{}' end, o ->> 'image_url', p.status,
    case when p.status = 'processing' then 'ambiguous' else 'finished' end, nullif(o ->> 'video_url', ''),
    nullif(o ->> 'thumbnail_url', ''),
    greatest(coalesce((o ->> 'credits_used')::numeric::integer, (
      select -(q.o ->> 'change')::integer from old_rows q
      where q.kind = 'quota_log' and q.o ->> 'job_id' = p.job_id::text and (q.o ->> 'change')::integer < 0 limit 1), 0), 0),
    case when o ->> 'error_code' ~ '^ERR_[456][0-9]{3}$' then o ->> 'error_code' end, o ->> 'error_message',
    coalesce(p.provider, 'fal'), nullif(o ->> 'provider_job_id', ''), p.created_at,
    case when p.status <> 'processing' then coalesce((o ->> 'completed_at')::timestamptz, (o ->> 'updated_at')::timestamptz, p.created_at) end,
    (o ->> 'deleted_at')::timestamptz, now(), now()
  from plain p;
  select count(*) into v_count from old_rows where kind = 'video_jobs'
    and not exists (select from video_jobs j where j.job_id::text = coalesce(o ->> 'job_id', o ->> 'id'));
  if v_count > 0 then
    insert into reelbase.migration_report (line)
    values (format('%s jobs belong to no user; they stay in before_reelbase.video_jobs', v_count));
  end if;

  -- The ledger, in the order in which it was written. Reasons get their present names; one that has none, or whose sign
  -- contradicts it, becomes an adjustment and keeps its words in the note. A second charge or refund of one job, and a job
  -- that is not there, keep their credits and lose only the link.
  with plain as (
    select o, (o ->> 'id')::uuid as id, u.id as user_id, j.job_id, (o ->> 'change')::integer as change,
      coalesce((o ->> 'created_at')::timestamptz, u.created_at) as created_at, nullif(o ->> 'transaction_id', '') as transaction_id,
      case when o ->> 'reason' in ('generation', 'video_generation') then 'video_generation'
        when o ->> 'reason' in ('purchase', 'iap_purchase') then 'iap_purchase'
        when o ->> 'reason' in ('refund', 'generation_refund', 'generation_failed_refund') then 'generation_failed_refund'
        when o ->> 'reason' like 'admin_refund%' then 'admin_refund'
        when o ->> 'reason' in ('initial_grant', 'apple_refund', 'apple_refund_reversed', 'admin_adjustment', 'merge',
          'migration_correction') then o ->> 'reason'
        else 'admin_adjustment' end as mapped
    from old_rows
    join users u on u.id::text = o ->> 'user_id'
    left join video_jobs j on j.job_id::text = o ->> 'job_id'
    where kind = 'quota_log' and coalesce((o ->> 'change')::integer, 0) <> 0),
  signed as (
    select p.*, case
      when mapped in ('video_generation', 'apple_refund') and change > 0 then 'admin_adjustment'
      when mapped in ('generation_failed_refund', 'initial_grant', 'iap_purchase', 'apple_refund_reversed') and change < 0
        then 'admin_adjustment'
      else mapped end as reason
    from plain p),
  numbered as (
    select s.*, row_number() over (order by created_at, id) as seq,
      row_number() over (partition by transaction_id order by created_at, id) as transaction_number,
      row_number() over (partition by job_id, reason order by created_at, id) as job_number
    from signed s)
  insert into quota_log (id, seq, user_id, job_id, change, reason, transaction_id, balance_after, note, imported_at, created_at)
  overriding system value
  select n.id, n.seq, n.user_id,
    case when n.reason in ('video_generation', 'generation_failed_refund') and n.job_number > 1 then null else n.job_id end,
    n.change, n.reason,
    case when n.transaction_number = 1 then n.transaction_id else n.transaction_id || ':duplicate:' || (n.transaction_number - 1) end,
    sum(n.change) over (partition by n.user_id order by n.seq),
    nullif(concat_ws('; ',
      case when o ->> 'reason' like 'admin_refund:%' then trim(substr(o ->> 'reason', 14))
        when n.reason is distinct from o ->> 'reason' then 'was: ' || coalesce(o ->> 'reason', 'no reason') end,
      case when o ->> 'job_id' is not null and (n.job_id is null
          or (n.reason in ('video_generation', 'generation_failed_refund') and n.job_number > 1))
        then 'job: ' || (o ->> 'job_id') end), ''),
    now(), n.created_at
  from numbered n;
  select count(*) into v_count from quota_log;
  if v_count > 0 then
    perform setval(pg_get_serial_sequence('quota_log', 'seq'), v_count);
  end if;
  insert into reelbase.migration_report (line)
  select format('ledger row %s: its transaction id was there before; this one was marked as a duplicate (%s)', id, transaction_id)
  from quota_log where transaction_id like '%:duplicate:%';
  select count(*) into v_count from old_rows where kind = 'quota_log'
    and not exists (select from quota_log q where q.id::text = o ->> 'id');
  if v_count > 0 then
    insert into reelbase.migration_report (line)
    values (format('%s ledger rows change nothing or belong to no user; they stay in before_reelbase.quota_log', v_count));
  end if;

  with wrong as (
    select u.id, u.credits_remaining as balance, coalesce(sum(q.change), 0)::integer as total
    from users u left join quota_log q on q.user_id = u.id
    group by u.id having u.credits_remaining <> coalesce(sum(q.change), 0)),
  corrected as (
    insert into quota_log (user_id, change, reason, balance_after, note, imported_at, created_at)
    select id, balance - total, 'migration_correction', balance, format('the log added up to %s', total), now(), now()
    from wrong order by id returning user_id, change)
  insert into reelbase.migration_report (line)
  select format('user %s: the balance was %s and the log added up to %s; a correction of %s was written', w.id, w.balance, w.total, c.change)
  from wrong w join corrected c on c.user_id = w.id;

  update users u set credits_total = greatest(u.credits_remaining, 0, coalesce((
    select sum(q.change) from quota_log q where q.user_id = u.id and q.change > 0
      and q.reason in ('initial_grant', 'iap_purchase', 'admin_adjustment')), 0));

  -- Columns that only the old tables have are carried along; nobody is granted them.
  for v_extra in
    select c.relname as table_name, a.attname as column_name, format_type(a.atttypid, a.atttypmod) as type,
      case c.relname when 'video_jobs' then 'job_id' else 'id' end as key
    from pg_attribute a join pg_class c on c.oid = a.attrelid
    where c.relnamespace = 'before_reelbase'::regnamespace and a.attnum > 0 and not a.attisdropped
      and c.relname in ('users', 'models', 'themes', 'video_jobs', 'quota_log')
      and not exists (select from pg_attribute b where b.attrelid = ('public.' || quote_ident(c.relname))::regclass
                      and b.attname = a.attname and not b.attisdropped)
      and not (c.relname = 'video_jobs' and a.attname = 'id')
  loop
    execute format('alter table public.%I add column %I %s', v_extra.table_name, v_extra.column_name, v_extra.type);
    if exists (select from pg_attribute where attrelid = format('before_reelbase.%I', v_extra.table_name)::regclass
               and attname = v_extra.key and not attisdropped) then
      execute format('update public.%1$I n set %2$I = o.%2$I from before_reelbase.%1$I o where o.%3$I = n.%3$I',
        v_extra.table_name, v_extra.column_name, v_extra.key);
    end if;
  end loop;

  -- Other tables that pointed at the old ones point at ours.
  perform set_config('search_path', 'pg_catalog', true);
  for v_key in
    select con.conname, con.conrelid::regclass as table_name, pg_get_constraintdef(con.oid) as definition
    from pg_constraint con join pg_class target on target.oid = con.confrelid join pg_class source on source.oid = con.conrelid
    where con.contype = 'f' and target.relnamespace = 'before_reelbase'::regnamespace
      and source.relnamespace <> 'before_reelbase'::regnamespace
  loop
    execute format('alter table %s drop constraint %I', v_key.table_name, v_key.conname);
    execute format('alter table %s add constraint %I %s', v_key.table_name, v_key.conname,
      replace(v_key.definition, 'REFERENCES before_reelbase.', 'REFERENCES public.'));
  end loop;
  perform set_config('search_path', 'public', true);
  insert into reelbase.migration_report (line)
  values ('the old tables are kept as they were in the schema before_reelbase; drop it when you no longer need it');
end
$$;
