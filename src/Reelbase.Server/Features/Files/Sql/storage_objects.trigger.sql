-- What all pictures take together follows every row, whoever writes it; rows count until their file is gone.
create or replace function internal.count_picture_bytes() returns trigger language plpgsql security definer set search_path = internal, public, pg_temp as $$
declare
  v_bytes bigint := 0;
begin
  if tg_op <> 'INSERT' and old.bucket = 'pictures' then
    v_bytes := v_bytes - coalesce(old.size_bytes, 0);
  end if;
  if tg_op <> 'DELETE' and new.bucket = 'pictures' then
    v_bytes := v_bytes + coalesce(new.size_bytes, 0);
  end if;
  if v_bytes <> 0 then
    update installation set picture_bytes = picture_bytes + v_bytes;
  end if;
  return null;
end
$$;
comment on function internal.count_picture_bytes() is 'Keeps installation.picture_bytes the sum of all pictures in storage_objects.';
drop trigger if exists storage_objects_count_pictures on storage_objects;
create trigger storage_objects_count_pictures after insert or delete or update of size_bytes, bucket on storage_objects
  for each row execute function internal.count_picture_bytes();
