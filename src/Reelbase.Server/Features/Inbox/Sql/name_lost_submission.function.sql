-- A claimed event names the request of a submission whose answer was lost, and what the provider says of that request is no verdict yet: the job waits
-- for its result like any other from now on, so that it is polled until its deadline and not only as often as an event is tried.
-- True when it did so.
create or replace function name_lost_submission(p_id bigint, p_leased_by text, p_poll_after_seconds double precision) returns boolean
language plpgsql security definer set search_path = internal, public, pg_temp as $$
declare
  v_delivery webhook_deliveries;
  v_submission job_submissions;
begin
  select * into v_delivery from webhook_deliveries where id = p_id and leased_by = p_leased_by and status = 'pending';
  if not found then
    return false;
  end if;
  perform lock_job(v_delivery.job_id);
  select * into v_submission from job_submissions
  where id = v_delivery.submission_id and provider_job_id is null and outcome in ('intended', 'ambiguous');
  if not found or not event_belongs_to(v_submission, v_delivery.provider_job_id) then
    return false;
  end if;
  perform record_submission_accepted(v_submission.id, null, v_delivery.provider_job_id, null, null, null, p_poll_after_seconds);
  return true;
end
$$;
comment on function name_lost_submission(bigint, text, double precision) is
  'Lets a job whose submission was ambiguous be polled under the name that a claimed event gives its request; true when it did.';
