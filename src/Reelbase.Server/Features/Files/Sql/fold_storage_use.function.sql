-- Folds a batch of appended changes into the sums, and says how many; a second folder at the same time does nothing.
create or replace function fold_storage_use(p_limit integer) returns bigint
language plpgsql security definer set search_path = internal, public, pg_temp as $$
declare
  v_folded bigint;
begin
  if not pg_try_advisory_xact_lock(hashtextextended('reelbase:storage_use', 0)) then
    return 0;
  end if;
  with taken as (
    delete from storage_use_changes where id = any (array(select id from storage_use_changes order by id limit p_limit))
    returning bucket, bytes, objects),
  sums as (
    insert into storage_use as u (bucket, bytes, objects)
    select bucket, sum(bytes), sum(objects) from taken group by bucket
    on conflict on constraint storage_use_pkey do update set bytes = u.bytes + excluded.bytes, objects = u.objects + excluded.objects)
  select count(*) into v_folded from taken;
  return v_folded;
end
$$;
comment on function fold_storage_use(integer) is 'Folds appended changes into the sums by kind; answers how many rows.';
