-- What is kept of somebody's requests goes: answers and uses of limits whole, of errors what says who it was.
create or replace function internal.forget_request_logs(p_user_ids uuid[]) returns void
language plpgsql set search_path = internal, public, pg_temp as $$
begin
  update error_log set user_id = null, request_data = null, error_details = null where user_id = any (p_user_ids);
  delete from idempotency_log where user_id = any (p_user_ids);
  delete from rate_limit_log where user_id = any (p_user_ids);
end
$$;
comment on function internal.forget_request_logs(uuid[]) is 'Removes answers that are kept and uses of limits, and empties errors. Internal to the definer functions.';
