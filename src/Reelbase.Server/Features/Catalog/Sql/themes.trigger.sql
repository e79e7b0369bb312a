-- A changed theme has the next version, whoever changed it, so that an app that keeps themes sees which are new.
create or replace function internal.count_theme_versions() returns trigger language plpgsql set search_path = internal, public, pg_temp as $$
begin
  new.version := old.version + 1;
  return new;
end
$$;
comment on function internal.count_theme_versions() is 'Gives a changed theme its next version. For a trigger.';
drop trigger if exists themes_count_versions on themes;
create trigger themes_count_versions before update on themes
  for each row when (old is distinct from new) execute function internal.count_theme_versions();
