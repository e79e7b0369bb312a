-- Opens an import or goes on with one. Refused for another source than before, and for an installation that has users of its own: nobody could say
-- afterwards whose rows are whose. Admins whom the command line has made are no users of that kind.
create or replace function internal.import_begin(p_kind text, p_source text, p_dry_run boolean) returns imports
language plpgsql set search_path = internal, public, pg_temp as $$
declare
  v_import imports;
begin
  select * into v_import from imports where kind = p_kind;
  if found then
    if v_import.source <> p_source then
      raise exception 'this installation was begun to be filled from another database; that import has to be finished, or the installation made anew' using errcode = 'RB010';
    end if;
    if not p_dry_run then
      update imports set starts = starts + 1 where kind = p_kind returning * into v_import;
    end if;
    return v_import;
  end if;
  if exists (select from users u where not exists (
      select from admin_actions a where a.action_type = 'admin_create' and a.target_user_id = u.id and a.admin_user_id is null)) then
    raise exception 'this installation has users already that no import has brought: import into one that is empty' using errcode = 'RB010';
  end if;
  if p_dry_run then
    return null;
  end if;
  insert into imports (kind, source) values (p_kind, p_source) returning * into v_import;
  return v_import;
end
$$;
comment on function internal.import_begin(text, text, boolean) is 'Opens an import or goes on with it; RB010 when it may not be. For the import, which runs as the owner.';
