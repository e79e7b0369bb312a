-- Whose job it is. Shipped builds ask for a job with its id alone and no user's token; under the switch for them
-- whoever knows the id, which cannot be guessed, is taken for its owner. Null when there is none.
create or replace function find_job_owner(p_job_id uuid) returns uuid
language sql stable security definer set search_path = internal, public, pg_temp as $$
  select account_of(j.user_id) from video_jobs j where j.job_id = p_job_id
$$;
comment on function find_job_owner(uuid) is 'The account that a job belongs to; for shipped builds, which name the job alone.';
