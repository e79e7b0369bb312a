-- The next jobs older than p_days, of whichever users: files, prompt and picture go, the bare row stays (0 days: never). A video that was
-- made before Reelbase and lies elsewhere was never ours to remove. A job that cannot be removed is passed over for a day, and an
-- alert says so: it may not stop the others. Its run_after, which a finished job no longer needs, says so by lying further ahead than work
-- ever puts it.
create or replace function internal.clean_up_videos(p_days integer, p_limit integer, p_dry_run boolean) returns bigint
language plpgsql security definer set search_path = internal, public, pg_temp as $$
declare
  v_before timestamptz := clock_timestamp() - make_interval(days => p_days);
  v_count bigint := 0;
  v_job_id uuid;
begin
  if p_days = 0 then
    return 0;
  elsif p_dry_run then
    select count(*) into v_count from video_jobs where stage = 'finished' and deleted_at is null and created_at < v_before
      and coalesce(video_url, '') not like 'http%';
    return v_count;
  end if;
  -- The users' rows are locked before their jobs', as everywhere, and never waited for: so any number of them cannot deadlock.
  for v_job_id in
    select j.job_id from video_jobs j join users u on u.id = j.user_id
    where j.stage = 'finished' and j.deleted_at is null and j.created_at < v_before and j.run_after < clock_timestamp() + interval '12 hours'
      and coalesce(j.video_url, '') not like 'http%'
    order by j.created_at limit p_limit for no key update of u skip locked
  loop
    begin
      -- Read again under the lock: a merge may have moved the job to somebody whose row we do not hold.
      perform 1 from video_jobs j join users u on u.id = j.user_id where j.job_id = v_job_id for no key update of u skip locked;
      continue when not found;
      perform erase_video_job(v_job_id);
      v_count := v_count + 1;
    exception when others then
      update video_jobs set run_after = clock_timestamp() + interval '36 hours' where job_id = v_job_id;
      perform raise_alert('cleanup_failed', (clock_timestamp() at time zone 'UTC')::date || ':video:' || sqlstate,
        format('Some videos that are old enough could not be removed, the first is job %s (%s). They are tried again tomorrow.', v_job_id, sqlerrm));
      v_count := v_count + 1;
    end;
  end loop;
  return v_count;
end
$$;
comment on function internal.clean_up_videos(integer, integer, boolean) is
  'Removes one batch of videos that are old enough; answers how many were dealt with. Internal to clean_up.';
