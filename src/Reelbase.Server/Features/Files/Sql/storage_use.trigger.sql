-- What a file takes counts from its row's first size until the row goes, which is when the file is gone: a file that waits to be removed still takes its place.
create or replace function internal.note_storage_use() returns trigger
language plpgsql security definer set search_path = internal, public, pg_temp as $$
begin
  if tg_op = 'UPDATE' and old.bucket = new.bucket and old.size_bytes is not distinct from new.size_bytes then
    return null;
  end if;
  if tg_op <> 'INSERT' and old.size_bytes is not null then
    insert into storage_use_changes (bucket, bytes, objects) values (old.bucket, -old.size_bytes, -1);
  end if;
  if tg_op <> 'DELETE' and new.size_bytes is not null then
    insert into storage_use_changes (bucket, bytes, objects) values (new.bucket, new.size_bytes, 1);
  end if;
  return null;
end
$$;
comment on function internal.note_storage_use() is 'Trigger: appends what a file''s row adds to the use of storage, or takes away.';
drop trigger if exists storage_objects_use on storage_objects;
create trigger storage_objects_use after insert or delete or update of bucket, size_bytes on storage_objects
  for each row execute function internal.note_storage_use();
