-- Runs as the migrating role, since the owner role may not make schemas in every database.
-- Before the functions move (0099_internal_functions.sql): whatever of ours pins its search path finds them in both places. This is committed by itself, and calls that began
-- before it are awaited, so no call that runs while the rest is applied looks for a function where it no longer is.
do $$
declare
  v_owner name := (select pg_get_userbyid(nspowner) from pg_namespace where nspname = 'internal');
begin
  if v_owner is null then
    create schema internal authorization reelbase_owner;
  elsif v_owner <> 'reelbase_owner' then
    raise exception 'the schema internal is there already and belongs to %', v_owner
      using errcode = '42P06', hint = 'Reelbase keeps its internal functions in a schema of that name: give yours another one and migrate again';
  end if;
end
$$;

set local role reelbase_owner;
comment on schema internal is 'Functions that nobody but the owner may execute; the functions that roles may execute call them.';
do $$
declare
  v_function regprocedure;
begin
  for v_function in
    select p.oid from pg_proc p
    where p.pronamespace = 'public'::regnamespace and p.proowner = 'reelbase_owner'::regrole and 'search_path=public, pg_temp' = any (p.proconfig)
  loop
    execute format('alter function %s set search_path = internal, public, pg_temp', v_function);
  end loop;
end
$$;
