-- Keeps the answer of a call under its key for 24 hours, and answers it. The primary key has the last word about two calls at once: one that comes here although
-- the key has an answer is rolled back, and called again it finds that answer.
create or replace function internal.keep_answer(
  p_user_id uuid, p_key uuid, p_operation text, p_hash bytea, p_answer jsonb, p_status_code integer default 200, p_job_id uuid default null)
returns jsonb language plpgsql as $$
begin
  insert into idempotency_log as l (user_id, idempotency_key, job_id, operation_type, request_hash, response_data, status_code)
  values (p_user_id, p_key, p_job_id, p_operation, p_hash, p_answer, p_status_code)
  on conflict on constraint idempotency_log_pkey do update set
    job_id = excluded.job_id, operation_type = excluded.operation_type, request_hash = excluded.request_hash,
    response_data = excluded.response_data, status_code = excluded.status_code, created_at = excluded.created_at, expires_at = excluded.expires_at
  where l.expires_at <= now();
  if not found then
    raise exception 'the key has an answer already' using errcode = 'serialization_failure';
  end if;
  return p_answer;
end
$$;
comment on function internal.keep_answer(uuid, uuid, text, bytea, jsonb, integer, uuid) is
  'Keeps an answer under its key for 24 hours, and answers it; raises a conflict when the key has one. Internal to the definer functions.';
