-- Submissions that ended for their user while the provider could not be asked: it may have made, and charged for, a video.
create or replace function claim_unsettled_submissions(p_limit integer, p_lease_seconds integer)
returns table (submission_id bigint, job_id uuid, provider text, provider_model_id text, provider_job_id text,
  status_url text, result_url text, cancel_url text, settle_attempt integer)
language plpgsql security definer set search_path = internal, public, pg_temp as $$
#variable_conflict use_column
begin
  return query
  with due as (
    select s.id from job_submissions s
    where s.settle_after <= clock_timestamp() and s.provider_job_id is not null
    order by s.settle_after limit p_limit for no key update skip locked),
  -- Pushing the time on is the lease: whoever dies with it leaves the row to be taken again.
  claimed as (
    update job_submissions s set settle_attempt = s.settle_attempt + 1,
      settle_after = clock_timestamp() + make_interval(secs => p_lease_seconds)
    from due where s.id = due.id returning s.*)
  select c.id, c.job_id, c.provider, m.provider_model_id, c.provider_job_id, c.status_url, c.result_url, c.cancel_url, c.settle_attempt
  from claimed c join video_jobs j on j.job_id = c.job_id left join models m on m.id = j.model_id;
end
$$;
comment on function claim_unsettled_submissions(integer, integer) is 'Takes submissions whose end at the provider is not known yet.';
