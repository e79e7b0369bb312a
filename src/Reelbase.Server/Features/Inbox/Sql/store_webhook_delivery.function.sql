-- Keeps an inbound event before anything is done with it: as the bytes that came, and as what can be stored of their JSON. The
-- same event twice is one row. An event for a token that we never gave out, or about a job that belongs to another submission,
-- is kept too, handled for good and under a name of its own: it does no harm, and it cannot take the place of the true event
-- that may still come. Answers whether there is work.
drop function if exists store_webhook_delivery(text, bytea, text, text, jsonb, text);
create or replace function store_webhook_delivery(
  p_provider text, p_token_hash bytea, p_event_id text, p_event_type text, p_payload jsonb, p_provider_job_id text,
  p_trace_parent text, p_raw_body bytea)
returns boolean language plpgsql security definer set search_path = internal, public, pg_temp as $$
declare
  v_submission job_submissions;
  v_remark text;
begin
  select * into v_submission from job_submissions where webhook_token_hash = p_token_hash and provider = p_provider;
  v_remark := case
    when v_submission.id is null then 'no submission has this address'
    when not event_belongs_to(v_submission, p_provider_job_id) then 'the event is about another request than the one this address was made for' end;
  insert into webhook_deliveries (provider, event_id, event_type, payload, raw_body, provider_job_id, job_id, user_id, submission_id,
    trace_parent, status, processed_at, last_error)
  values (p_provider, left(p_event_id, 200) || case when v_remark is null then '' else ':unmatched:' || left(encode(p_token_hash, 'hex'), 16) end,
    left(p_event_type, 100), p_payload, p_raw_body, left(p_provider_job_id, 200), v_submission.job_id, v_submission.user_id, v_submission.id,
    left(p_trace_parent, 64), case when v_remark is null then 'pending' else 'processed' end,
    case when v_remark is not null then clock_timestamp() end, v_remark)
  on conflict on constraint webhook_deliveries_event_key do nothing;
  return found and v_remark is null;
end
$$;
comment on function store_webhook_delivery(text, bytea, text, text, jsonb, text, text, bytea) is
  'Stores an inbound event once, with its bytes; true when the worker has something to do.';

-- compatibility: the previous release's nodes call this; goes in the next release
create or replace function store_webhook_delivery(
  p_provider text, p_token_hash bytea, p_event_id text, p_event_type text, p_payload jsonb, p_provider_job_id text,
  p_trace_parent text default null)
returns boolean language sql security definer set search_path = internal, public, pg_temp as $$
  select store_webhook_delivery(p_provider, p_token_hash, p_event_id, p_event_type, p_payload, p_provider_job_id, p_trace_parent, null::bytea)
$$;
comment on function store_webhook_delivery(text, bytea, text, text, jsonb, text, text) is
  'As the other of this name, without the bytes.';
