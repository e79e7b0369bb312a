-- Runs as the migrating role, because the tables it finds belong to it.
-- A database from before Reelbase has tables of the same names in another shape. They are moved to the schema
-- before_reelbase as they are, the next migrations make ours, and 0005 copies every row over. Nothing is dropped: whatever
-- could not be carried over is still there to be looked at, until the operator drops that schema.
do $$
declare
  c_tables constant text[] := array['users', 'models', 'themes', 'video_jobs', 'job_submissions', 'quota_log',
    'idempotency_log', 'sessions', 'refresh_tokens', 'device_checks', 'device_grants', 'installation_leases',
    'storage_objects', 'webhook_deliveries', 'error_log', 'rate_limit_log'];
  -- The functions that the old documents name; ours of the same names answer differently.
  c_functions constant text[] := array['deduct_credits', 'add_credits', 'generate_video', 'complete_video_job',
    'fail_video_job', 'check_rate_limit', 'delete_video_job'];
  v_name text;
  v_function regprocedure;
begin
  if not exists (select from pg_class where relnamespace = 'public'::regnamespace and relkind in ('r', 'p')
                 and relname = any (c_tables)) then
    return;
  end if;
  create schema if not exists before_reelbase;
  for v_name in select relname from pg_class where relnamespace = 'public'::regnamespace and relkind in ('r', 'p')
                and relname = any (c_tables) loop
    execute format('alter table public.%I set schema before_reelbase', v_name);
  end loop;
  for v_function in select oid::regprocedure from pg_proc where pronamespace = 'public'::regnamespace
                    and proname = any (c_functions) loop
    execute format('alter function %s set schema before_reelbase', v_function);
  end loop;
end
$$;
