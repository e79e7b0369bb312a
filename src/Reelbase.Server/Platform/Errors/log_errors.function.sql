-- Writes a batch of errors: an array of {user_id, error_code, endpoint, error_details, trace_id}.
create or replace function log_errors(p_errors jsonb) returns void
language sql security definer set search_path = public, pg_temp as $$
  insert into error_log (user_id, error_code, endpoint, error_details, trace_id)
  select u.id, e.error_code, left(e.endpoint, 200), e.error_details, left(e.trace_id, 64)
  from jsonb_to_recordset(p_errors) e (user_id uuid, error_code text, endpoint text, error_details jsonb, trace_id text)
  left join users u on u.id = e.user_id
$$;
comment on function log_errors(jsonb) is 'Stores a batch of error records, redacted by their writer.';
