-- What a submission came to after its job had ended. late_success: a video was made; its cost is recorded, support can
-- see it, nobody is charged again. p_again_seconds: it is not known yet, ask again then. p_settle_attempt: the claim that asked; a later one's word is not overwritten.
create or replace function settle_submission(
  p_submission_id bigint, p_outcome text, p_cost_micros bigint, p_again_seconds double precision, p_settle_attempt integer)
returns void language plpgsql security definer set search_path = internal, public, pg_temp as $$
declare
  v_submission job_submissions;
begin
  -- The job first and its submission second, as everywhere: two orders would deadlock.
  perform 1 from video_jobs where job_id = (select s.job_id from job_submissions s where s.id = p_submission_id) for no key update;
  update job_submissions set outcome = coalesce(p_outcome, outcome),
    settle_after = clock_timestamp() + make_interval(secs => p_again_seconds),
    detail = case p_outcome when 'late_success' then 'a video came after the job had ended' else detail end
  where id = p_submission_id and settle_after is not null and settle_attempt = p_settle_attempt returning * into v_submission;
  if found and p_outcome is not null then
    update video_jobs set provider_cost_micros = coalesce(p_cost_micros,
      case p_outcome when 'late_success' then v_submission.expected_cost_micros end, provider_cost_micros)
    where job_id = v_submission.job_id and attempt = v_submission.attempt;
  end if;
end
$$;
comment on function settle_submission(bigint, text, bigint, double precision, integer) is
  'Records what a submission came to after its job had ended, or when to ask again.';

-- compatibility: the previous release's nodes call this; goes in the next release
create or replace function settle_submission(
  p_submission_id bigint, p_outcome text, p_cost_micros bigint, p_again_seconds double precision)
returns void language sql security definer set search_path = internal, public, pg_temp as $$
  select settle_submission(p_submission_id, p_outcome, p_cost_micros, p_again_seconds,
    (select s.settle_attempt from job_submissions s where s.id = p_submission_id))
$$;
comment on function settle_submission(bigint, text, bigint, double precision) is 'As the one that names its claim, for nodes of the previous release.';
