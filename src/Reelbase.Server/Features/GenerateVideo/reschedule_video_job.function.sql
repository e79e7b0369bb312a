create or replace function reschedule_video_job(
  p_job_id uuid, p_leased_by text, p_after_seconds double precision, p_is_fetch_failure boolean default false)
returns void language sql security definer set search_path = public, pg_temp as $$
  update video_jobs set leased_by = null, lease_until = null,
    fetch_attempt = fetch_attempt + case when p_is_fetch_failure then 1 else 0 end,
    run_after = least(greatest(deadline_at, clock_timestamp()), clock_timestamp() + make_interval(secs => p_after_seconds))
  where job_id = p_job_id and leased_by = p_leased_by and stage <> 'finished'
$$;
comment on function reschedule_video_job(uuid, text, double precision, boolean) is
  'Gives a leased job back, to be looked at again after p_after_seconds, never later than its deadline.';
