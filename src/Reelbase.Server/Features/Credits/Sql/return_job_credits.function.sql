-- The only way in which a job gives credits back: what is left of its charge, or p_amount of it, never more. Whoever ends a job (a failure, a
-- deletion, a cancellation) and whoever refunds it by hand calls this. Locks the user and then the job. Answers what was given back.
create or replace function internal.return_job_credits(p_job_id uuid, p_reason text, p_amount integer default null, p_note text default null)
returns integer language plpgsql security definer set search_path = internal, public, pg_temp as $$
declare
  v_job video_jobs := lock_job_credits(p_job_id);
  v_amount integer;
begin
  v_amount := least(p_amount, v_job.credits_charged - v_job.credits_returned);
  -- An imported job may have had a part given back as a failure: that is once for ever.
  if coalesce(v_amount, 0) <= 0 or (p_reason = 'generation_failed_refund' and v_job.is_credits_exempt and exists (
      select from quota_log where job_id = p_job_id and reason = 'generation_failed_refund')) then
    return 0;
  end if;
  perform write_ledger(v_job.user_id, v_amount, p_reason, p_job_id, null, p_note);
  return v_amount;
end
$$;
comment on function internal.return_job_credits(uuid, text, integer, text) is
  'Gives back what is left of a job''s charge (at most p_amount); answers how much that was. Internal to the definer functions.';
