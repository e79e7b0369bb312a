-- Whether what a provider reports about one of its requests is about this submission: the only place where that is decided. Its id, once we
-- know it, has to be the same, and no other submission may have that id.
create or replace function internal.event_belongs_to(p_submission job_submissions, p_provider_job_id text) returns boolean
language sql stable security definer set search_path = internal, public, pg_temp as $$
  select p_submission.id is not null
    and (p_provider_job_id is null or coalesce(p_submission.provider_job_id, p_provider_job_id) = p_provider_job_id)
    and not exists (select from job_submissions o
      where o.provider = p_submission.provider and o.provider_job_id = p_provider_job_id and o.id <> p_submission.id)
$$;
comment on function internal.event_belongs_to(job_submissions, text) is 'Whether a provider''s event is about this submission. Internal to the definer functions.';
