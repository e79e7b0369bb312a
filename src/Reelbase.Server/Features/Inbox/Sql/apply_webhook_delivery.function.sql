-- What a stored event says of its submission, taken and the event finished in one transaction: a crash between the two cannot leave an event that
-- was carried out pending. Only the claim that holds the event does it. p_outcome: succeeded (with p_result_url) or failed (with p_error_code and
-- p_error_message). Answers as record_video_success and record_video_failure, or lost when the event is another claim's.
create or replace function apply_webhook_delivery(
  p_id bigint, p_leased_by text, p_outcome text, p_result_url text, p_error_code text, p_error_message text, p_detail text, p_cost_micros bigint)
returns text language plpgsql security definer set search_path = internal, public, pg_temp as $$
declare
  v_delivery webhook_deliveries;
  v_verdict text;
begin
  select * into v_delivery from webhook_deliveries where id = p_id;
  -- The user and the job first and the event last, as a deletion locks them.
  perform lock_job(v_delivery.job_id);
  select * into v_delivery from webhook_deliveries where id = p_id and leased_by = p_leased_by and status = 'pending' for no key update;
  if not found then
    return 'lost';
  end if;
  if p_outcome = 'succeeded' then
    v_verdict := record_video_success(v_delivery.submission_id, null, v_delivery.provider_job_id, p_result_url, p_cost_micros);
  elsif not event_belongs_to((select s from job_submissions s where s.id = v_delivery.submission_id), v_delivery.provider_job_id) then
    v_verdict := 'unmatched';
  else
    v_verdict := record_video_failure(v_delivery.submission_id, null, null, p_error_code, p_error_message, null, p_detail, p_cost_micros, false);
  end if;
  perform finish_webhook_delivery(p_id, p_leased_by, case v_verdict
    when 'fetching' then null when 'failed' then null
    when 'unmatched' then 'the event is about another request than the one this address was made for'
    when 'stale' then 'the event is about an earlier attempt; another one goes on'
    when 'ended' then 'the job had ended before'
    else 'the result was ' || v_verdict end, null, 0);
  return v_verdict;
end
$$;
comment on function apply_webhook_delivery(bigint, text, text, text, text, text, text, bigint) is
  'Carries out what a claimed event says and finishes it, in one transaction; answers what became of it.';
