-- Whether a job takes one of its provider's places. One of which nobody knows whether the provider has it holds its place no longer than the model usually takes (the 95th
-- percentile of the last day, at least a minute): by then it has ended there, or it never was.
create or replace function internal.holds_place(p_job video_jobs) returns boolean
language plpgsql stable set search_path = internal, public, pg_temp as $$
begin
  return (
    select case p_job.stage
      when 'submitting' then true
      when 'submitted' then true
      when 'queued' then coalesce(p_job.lease_until >= clock_timestamp(), false)
      when 'ambiguous' then coalesce(p_job.submitted_at > clock_timestamp() - make_interval(secs => greatest(60,
        (select m.slow_seconds from models m where m.id = p_job.model_id))), false)
      else false end);
end
$$;
comment on function internal.holds_place(video_jobs) is 'Whether a job takes a place at its provider now. Internal to claim_video_jobs and describe_queue.';
