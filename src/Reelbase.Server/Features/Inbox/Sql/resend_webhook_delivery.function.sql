-- Lets the worker handle a stored event once more, with all its tries. Handling is safe to repeat: the first final result
-- of a job has won. False when there is no such event, or nothing of it was kept.
create or replace function resend_webhook_delivery(p_id bigint) returns boolean
language plpgsql security definer set search_path = internal, public, pg_temp as $$
begin
  update webhook_deliveries set status = 'pending', retry_count = 0, attempt = 0, dead_at = null, processed_at = null, run_after = clock_timestamp(),
    leased_by = null, lease_until = null
  where id = p_id and payload is not null and (submission_id is not null or inbox <> 'provider');
  return found;
end
$$;
comment on function resend_webhook_delivery(bigint) is 'Puts a stored event back to be handled again; false when that cannot be.';
