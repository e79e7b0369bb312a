-- The roles of the installation. Cluster-wide, so every statement is safe to repeat and safe beside another database.
-- Login roles own nothing and bypass nothing; noinherit means that a login role has no user's rights until it
-- switches to one for a single transaction. The migrator sets their passwords, which never stand in a file.
do $$
declare
  v_role text;
begin
  perform pg_advisory_xact_lock(hashtextextended('reelbase:roles', 0));
  foreach v_role in array array['reelbase_owner', 'anon', 'authenticated', 'service_role'] loop
    if not exists (select from pg_roles where rolname = v_role) then
      execute format('create role %I nologin noinherit', v_role);
    end if;
  end loop;
  foreach v_role in array array['reelbase_api', 'reelbase_worker', 'reelbase_admin'] loop
    if not exists (select from pg_roles where rolname = v_role) then
      execute format('create role %I login noinherit nosuperuser nocreatedb nocreaterole nobypassrls', v_role);
    end if;
  end loop;
  if not pg_has_role('reelbase_api', 'authenticated', 'member') then
    grant authenticated, anon to reelbase_api;
  end if;
  -- A service key speaks as service_role, which has what an operator grants it. Where that role bypasses row security (a cluster of Supabase) it stays out of reach.
  if not pg_has_role('reelbase_api', 'service_role', 'member')
      and exists (select from pg_roles where rolname = 'service_role' and not rolbypassrls and not rolsuper) then
    grant service_role to reelbase_api;
  end if;
  if not pg_has_role(current_user, 'reelbase_owner', 'member') then
    execute format('grant reelbase_owner to %I', current_user);
  end if;
  execute format('grant create, connect, temporary on database %I to reelbase_owner', current_database());
  execute format('revoke temporary on database %I from public', current_database());
  execute format('grant connect on database %I to reelbase_api, reelbase_worker, reelbase_admin', current_database());
end
$$;

-- Objects live in public because shipped clients and documents name them without a schema.
alter schema public owner to reelbase_owner;
revoke all on schema public from public;
grant usage on schema public to anon, authenticated, service_role, reelbase_api, reelbase_worker, reelbase_admin;
create schema if not exists auth;
grant usage on schema auth to anon, authenticated, service_role, reelbase_owner, reelbase_api, reelbase_worker, reelbase_admin;
create schema if not exists reelbase authorization reelbase_owner;

-- Claims reach SQL exactly as on Supabase: one setting, three helpers. A database that came from there keeps its own.
do $$
begin
  if to_regprocedure('auth.jwt()') is null then
    create function auth.jwt() returns jsonb language sql stable as
      $f$ select coalesce(nullif(current_setting('request.jwt.claims', true), '')::jsonb, '{}'::jsonb) $f$;
    comment on function auth.jwt() is 'The claims of the caller of this transaction, as JSON; {} when there are none.';
  end if;
  if to_regprocedure('auth.uid()') is null then
    create function auth.uid() returns uuid language sql stable as
      $f$ select (nullif(current_setting('request.jwt.claims', true), '')::jsonb ->> 'sub')::uuid $f$;
    comment on function auth.uid() is 'The id in the caller''s sub claim, or null.';
  end if;
  if to_regprocedure('auth.role()') is null then
    create function auth.role() returns text language sql stable as
      $f$ select nullif(current_setting('request.jwt.claims', true), '')::jsonb ->> 'role' $f$;
    comment on function auth.role() is 'The role claim of the caller, or null.';
  end if;
end
$$;

-- What an owner creates belongs to nobody else until a grant file says so.
alter default privileges for role reelbase_owner revoke execute on functions from public;
alter default privileges for role reelbase_owner in schema public revoke all on tables from public, anon, authenticated;
