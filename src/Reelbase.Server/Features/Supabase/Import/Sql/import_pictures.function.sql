-- Of the staged files of the former storage: notes those in the buckets of pictures that lie in a folder of a user who is here and that no job shows, under the id that is
-- the folder here; answers by bucket how many are nobody's.
create or replace function internal.import_pictures() returns table (bucket text, files bigint)
language plpgsql set search_path = internal, public, pg_temp as $$
#variable_conflict use_column
begin
  insert into import_files (bucket, name, role, user_id)
  select r.o ->> 'bucket', r.o ->> 'name', 'picture', u.id
  from import_rows r join users u on u.id = import_uuid(r.o ->> 'user') and u.deleted_at is null
  where r.kind = 'object' and r.o ->> 'bucket' in ('thumbnails', 'uploads') and char_length(r.o ->> 'name') between 38 and 500
    and not exists (select from import_files f where f.bucket = r.o ->> 'bucket' and f.name = r.o ->> 'name')
  on conflict do nothing;
  return query
    select r.o ->> 'bucket', count(*) from import_rows r
    where r.kind = 'object' and not exists (select from import_files f where f.bucket = r.o ->> 'bucket' and f.name = r.o ->> 'name') group by 1;
end
$$;
comment on function internal.import_pictures() is 'Notes users'' pictures of a former storage. For the import, which runs as the owner.';
