-- Gives a claimed job back, to be worked on again later; only the claim that holds it at stage p_stage can. An ambiguous job whose submission was
-- answered while this claim held it waits for its result from now on.
create or replace function reschedule_video_job(
  p_job_id uuid, p_leased_by text, p_after_seconds double precision, p_is_fetch_failure boolean, p_stage text)
returns void language sql security definer set search_path = internal, public, pg_temp as $$
  update video_jobs set leased_by = null, lease_until = null, stalled_claims = 0,
    fetch_attempt = fetch_attempt + case when p_is_fetch_failure then 1 else 0 end,
    stage = case when stage = 'ambiguous' and submission_is_accepted(job_id, attempt) then 'submitted' else stage end,
    run_after = case when stage = 'ambiguous' and submission_is_accepted(job_id, attempt) then clock_timestamp()
      else least(greatest(deadline_at, clock_timestamp()), clock_timestamp() + make_interval(secs => p_after_seconds)) end
  where job_id = p_job_id and leased_by = p_leased_by and stage = p_stage and stage <> 'finished'
$$;
comment on function reschedule_video_job(uuid, text, double precision, boolean, text) is
  'Gives a job back that this claim holds at this stage, to be worked on again after p_after_seconds, never later than its deadline.';

-- compatibility: the previous release's nodes call this; goes in the next release
create or replace function reschedule_video_job(
  p_job_id uuid, p_leased_by text, p_after_seconds double precision, p_is_fetch_failure boolean default false)
returns void language sql security definer set search_path = internal, public, pg_temp as $$
  select reschedule_video_job(p_job_id, p_leased_by, p_after_seconds, p_is_fetch_failure,
    (select j.stage from video_jobs j where j.job_id = p_job_id))
$$;
comment on function reschedule_video_job(uuid, text, double precision, boolean) is
  'As the one with a stage, for nodes of the previous release.';
