create or replace function renew_video_job_lease(p_job_id uuid, p_leased_by text, p_lease_seconds integer)
returns boolean language sql security definer set search_path = internal, public, pg_temp as $$
  with renewed as (
    update video_jobs set lease_until = clock_timestamp() + make_interval(secs => p_lease_seconds)
    where job_id = p_job_id and leased_by = p_leased_by and stage <> 'finished' returning 1)
  select exists (select from renewed)
$$;
comment on function renew_video_job_lease(uuid, text, integer) is 'Prolongs a lease that is still ours; false when it is not.';
