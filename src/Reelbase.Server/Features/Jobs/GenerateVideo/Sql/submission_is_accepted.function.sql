create or replace function internal.submission_is_accepted(p_job_id uuid, p_attempt integer) returns boolean
language sql stable security definer set search_path = internal, public, pg_temp as $$
  select exists (select from job_submissions s
    where s.job_id = p_job_id and s.attempt = p_attempt and s.outcome = 'accepted' and s.provider_job_id is not null)
$$;
comment on function internal.submission_is_accepted(uuid, integer) is 'Whether an attempt''s provider has named the job. Internal to the definer functions.';
