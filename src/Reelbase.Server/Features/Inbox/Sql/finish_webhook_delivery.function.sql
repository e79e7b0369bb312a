-- p_error null: handled. p_retry_after_seconds null with an error: handled for good, with a remark. Otherwise the event
-- is tried again, and after p_max_retries it is failed and alerted once, where an operator can see and resend it.
create or replace function finish_webhook_delivery(
  p_id bigint, p_leased_by text, p_error text, p_retry_after_seconds double precision, p_max_retries integer)
returns void language plpgsql security definer set search_path = internal, public, pg_temp as $$
declare
  v_delivery webhook_deliveries;
begin
  update webhook_deliveries set
    status = case when p_retry_after_seconds is null then 'processed'
      when retry_count >= p_max_retries then 'failed' else 'pending' end,
    processed_at = case when p_retry_after_seconds is null then clock_timestamp() end,
    retry_count = retry_count + case when p_retry_after_seconds is null then 0 else 1 end,
    last_error = left(p_error, 500),
    -- Nothing of a deleted job or user is kept once it has been handled.
    payload = case when p_retry_after_seconds is null and (
        exists (select from video_jobs j where j.job_id = webhook_deliveries.job_id and j.deleted_at is not null)
        or exists (select from users u where u.id = webhook_deliveries.user_id and u.deleted_at is not null))
      then null else payload end,
    run_after = clock_timestamp() + make_interval(secs => coalesce(p_retry_after_seconds, 0)),
    leased_by = null, lease_until = null
  where id = p_id and leased_by = p_leased_by returning * into v_delivery;
  if v_delivery.status = 'failed' and v_delivery.inbox = 'provider' then
    perform fail_webhook_delivery(p_id, v_delivery.last_error);
  end if;
end
$$;
comment on function finish_webhook_delivery(bigint, text, text, double precision, integer) is
  'Ends the handling of a stored event: processed, to be tried again, or failed.';
