-- Keeps an inbound event before anything is done with it. The same event twice is one row. An event for a token that we
-- never gave out is kept too, without a job, and does no harm. Answers whether it was new.
create or replace function store_webhook_delivery(
  p_provider text, p_token_hash bytea, p_event_id text, p_event_type text, p_payload jsonb)
returns boolean language plpgsql security definer set search_path = public, pg_temp as $$
declare
  v_submission job_submissions;
begin
  select * into v_submission from job_submissions where webhook_token_hash = p_token_hash and provider = p_provider;
  -- Without a known token the event id alone must not block the true event that may come later.
  insert into webhook_deliveries (provider, event_id, event_type, payload, job_id, user_id, submission_id, status, processed_at, last_error)
  values (p_provider, left(p_event_id, 200) || case when v_submission.id is null then ':unknown:' || left(encode(p_token_hash, 'hex'), 16) else '' end,
    left(p_event_type, 100), p_payload, v_submission.job_id, v_submission.user_id, v_submission.id,
    case when v_submission.id is null then 'processed' else 'pending' end,
    case when v_submission.id is null then clock_timestamp() end,
    case when v_submission.id is null then 'no submission has this address' end)
  on conflict on constraint webhook_deliveries_event_key do nothing;
  return found;
end
$$;
comment on function store_webhook_delivery(text, bytea, text, text, jsonb) is 'Stores an inbound event once; true when it was new.';
