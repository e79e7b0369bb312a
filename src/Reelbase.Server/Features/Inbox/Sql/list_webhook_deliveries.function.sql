-- What came in, newest first, without the payloads: those can hold what a user wrote.
create or replace function list_webhook_deliveries(p_status text, p_limit integer)
returns table (id bigint, provider text, event_id text, event_type text, status text, retry_count integer, last_error text,
  job_id uuid, created_at timestamptz)
language sql stable security definer set search_path = internal, public, pg_temp as $$
  select d.id, d.provider, d.event_id, d.event_type, d.status, d.retry_count, d.last_error, d.job_id, d.created_at
  from webhook_deliveries d where p_status is null or d.status = p_status
  order by d.id desc limit least(p_limit, 1000)
$$;
comment on function list_webhook_deliveries(text, integer) is 'Stored events, newest first; p_status null for all.';
