-- Pictures older than p_days, but not those that a job still needs. Rows that somebody holds are passed over.
create or replace function internal.clean_up_uploads(p_days integer, p_limit integer, p_dry_run boolean) returns bigint
language plpgsql security definer set search_path = internal, public, pg_temp as $$
declare
  v_ids uuid[];
begin
  if p_days <= 0 then
    return 0;
  end if;
  v_ids := array(
    select u.id from uploads u where u.updated_at < clock_timestamp() - make_interval(days => p_days)
      and not exists (select from video_jobs j where j.user_id = u.user_id and j.image_object_id = u.object_id and j.stage <> 'finished')
    order by u.updated_at limit case when p_dry_run then null else p_limit end for update skip locked);
  if not p_dry_run then
    update storage_objects set state = 'deleting', run_after = clock_timestamp()
    where id in (select u.object_id from uploads u where u.id = any (v_ids));
    delete from uploads where id = any (v_ids);
  end if;
  return cardinality(v_ids);
end
$$;
comment on function internal.clean_up_uploads(integer, integer, boolean) is 'Removes one batch of old pictures of users; answers how many. Internal to clean_up.';
