-- As finish_webhook_delivery, for a message whose user is only known once it has been read.
create or replace function finish_inbox_message(
  p_id bigint, p_leased_by text, p_user_id uuid, p_error text, p_retry_after_seconds double precision, p_max_retries integer)
returns void language plpgsql security definer set search_path = internal, public, pg_temp as $$
begin
  update webhook_deliveries set user_id = coalesce((select u.id from users u where u.id = p_user_id), user_id)
  where id = p_id and leased_by = p_leased_by;
  perform finish_webhook_delivery(p_id, p_leased_by, p_error, p_retry_after_seconds, p_max_retries);
  -- Its tries are used up: an operator sees it, and may have it handled again.
  if exists (select from webhook_deliveries d where d.id = p_id and d.status = 'failed' and d.dead_at is null) then
    perform end_spent_work('inbox_messages', array[p_id::text], 0);
  end if;
  -- A message about an Apple account names the person; once it is carried out nothing of it is needed.
  update webhook_deliveries set payload = null where id = p_id and inbox = 'apple_account' and status = 'processed';
end
$$;
comment on function finish_inbox_message(bigint, text, uuid, text, double precision, integer) is
  'Ends the handling of a stored message: processed, to be tried again, or failed; notes whom it was about.';
