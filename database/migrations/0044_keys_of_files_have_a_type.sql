-- The key of a stored file is a type of its own, so that whoever serves rows knows that it goes out as a link and never as it is. Without a constraint
-- the change of type rewrites nothing. Triggers that look at the columns stand aside for it.
create domain storage_key as text;
comment on domain storage_key is 'The key of a file in the store. Doors that serve rows write it as a signed link.';
do $$
declare
  v_triggers text[];
  v_definition text;
  v_name name;
begin
  select array_agg(pg_get_triggerdef(t.oid)) into v_triggers
    from pg_trigger t where t.tgrelid = 'video_jobs'::regclass and not t.tgisinternal and pg_get_triggerdef(t.oid) ~ 'video_url|thumbnail_url';
  for v_name in
    select t.tgname from pg_trigger t where t.tgrelid = 'video_jobs'::regclass and not t.tgisinternal and pg_get_triggerdef(t.oid) ~ 'video_url|thumbnail_url'
  loop
    execute format('drop trigger %I on video_jobs', v_name);
  end loop;
  alter table video_jobs alter column video_url type storage_key, alter column thumbnail_url type storage_key;
  foreach v_definition in array coalesce(v_triggers, '{}') loop
    execute v_definition;
  end loop;
end
$$;
