-- A submission that the provider certainly did nothing for costs nothing: what was expected is taken off its day's budget. Once, since the caller
-- has just moved the submission to refused.
create or replace function internal.release_expected_cost(p_submission job_submissions) returns void
language sql security definer set search_path = internal, public, pg_temp as $$
  update provider_spend set micros = greatest(0, micros - p_submission.expected_cost_micros)
  where provider = p_submission.provider and day = (p_submission.created_at at time zone 'UTC')::date
$$;
comment on function internal.release_expected_cost(job_submissions) is 'Takes a refused submission''s expected cost off its provider''s day. Internal.';
