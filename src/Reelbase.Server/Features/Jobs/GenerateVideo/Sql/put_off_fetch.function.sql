-- Our disk takes no files now: a finished video is fetched later, and the job has ten minutes for it whenever that is, so that no user loses one to us.
create or replace function put_off_fetch(p_job_id uuid, p_leased_by text, p_after_seconds double precision)
returns void language sql security definer set search_path = internal, public, pg_temp as $$
  update video_jobs set leased_by = null, lease_until = null, stalled_claims = 0, run_after = clock_timestamp() + make_interval(secs => p_after_seconds),
    deadline_at = greatest(deadline_at, clock_timestamp() + make_interval(secs => p_after_seconds) + interval '10 minutes')
  where job_id = p_job_id and leased_by = p_leased_by and stage = 'fetching'
$$;
comment on function put_off_fetch(uuid, text, double precision) is 'Gives a job back whose video this node has no disk space for; its deadline waits too.';
