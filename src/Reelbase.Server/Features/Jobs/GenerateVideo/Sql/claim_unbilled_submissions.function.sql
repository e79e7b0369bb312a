-- Submissions whose bill is due to be asked for, of providers that can say it. Pushing the time on is the lease; after p_max_attempts nobody asks any more, and what
-- was expected stands.
create or replace function claim_unbilled_submissions(p_providers text[], p_limit integer, p_pause_seconds integer, p_max_attempts integer)
returns table (submission_id bigint, provider text, provider_model_id text, provider_job_id text, status_url text, result_url text, cancel_url text)
language plpgsql security definer set search_path = internal, public, pg_temp as $$
#variable_conflict use_column
begin
  return query
  with due as (
    select s.id from job_submissions s
    where s.bill_after <= clock_timestamp() and s.provider_job_id is not null
    order by s.bill_after limit p_limit for no key update skip locked),
  claimed as (
    update job_submissions s set bill_attempt = s.bill_attempt + 1,
      bill_after = case when s.bill_attempt + 1 < p_max_attempts and s.provider = any (p_providers)
        then clock_timestamp() + make_interval(secs => p_pause_seconds * power(2, least(s.bill_attempt, 4))) end
    from due where s.id = due.id returning s.*)
  select c.id, c.provider, m.provider_model_id, c.provider_job_id, c.status_url, c.result_url, c.cancel_url
  from claimed c join video_jobs j on j.job_id = c.job_id left join models m on m.id = j.model_id
  where c.provider = any (p_providers);
end
$$;
comment on function claim_unbilled_submissions(text[], integer, integer, integer) is 'Takes submissions with a video whose bill nobody has asked for yet.';
