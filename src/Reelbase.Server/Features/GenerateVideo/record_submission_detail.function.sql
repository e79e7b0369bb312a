create or replace function record_submission_detail(p_submission_id bigint, p_outcome text, p_detail text)
returns void language sql security definer set search_path = public, pg_temp as $$
  update job_submissions set outcome = coalesce(p_outcome, outcome), detail = left(p_detail, 2000),
    answered_at = coalesce(answered_at, clock_timestamp())
  where id = p_submission_id
$$;
comment on function record_submission_detail(bigint, text, text) is
  'Keeps what the provider said about a submission, for support; never shown to users.';
