-- Gives up a provider's event: it is dead, kept for an operator, who is alerted once and can have it handled again. Internal.
create or replace function internal.fail_webhook_delivery(p_id bigint, p_error text) returns void
language plpgsql security definer set search_path = internal, public, pg_temp as $$
begin
  update webhook_deliveries set last_error = left(p_error, 500) where id = p_id;
  perform end_spent_work('inbox_messages', array[p_id::text], 0);
end
$$;
comment on function internal.fail_webhook_delivery(bigint, text) is 'Marks an event as failed, with one alert. Internal to the definer functions.';
