-- Runs as the migrating role, because it owns the tables that an upgrade set aside. They become the owner role's, so that the rows of an
-- account can go with it (row security of old hides them from everybody else).
do $$
declare
  v_name text;
begin
  if to_regnamespace('before_reelbase') is null then
    return;
  end if;
  grant usage, create on schema before_reelbase to reelbase_owner;
  for v_name in select relname from pg_class where relnamespace = 'before_reelbase'::regnamespace and relkind in ('r', 'p')
                and relowner <> 'reelbase_owner'::regrole loop
    execute format('alter table before_reelbase.%I owner to reelbase_owner', v_name);
  end loop;
end
$$;
