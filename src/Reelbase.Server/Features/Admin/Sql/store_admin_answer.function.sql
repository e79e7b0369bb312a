-- Keeps the answer of an admin call for a repetition.
create or replace function internal.store_admin_answer(p_admin_id uuid, p_key uuid, p_operation text, p_request jsonb, p_answer jsonb) returns jsonb
language plpgsql security definer set search_path = public, internal, pg_temp as $$
begin
  insert into idempotency_log (user_id, idempotency_key, operation_type, request_hash, response_data, status_code)
  values (p_admin_id, p_key, p_operation, sha256(convert_to(p_operation || ':' || p_request::text, 'UTF8')), p_answer, 200)
  on conflict on constraint idempotency_log_pkey do update set operation_type = excluded.operation_type, request_hash = excluded.request_hash,
    response_data = excluded.response_data, status_code = 200, created_at = now(), expires_at = now() + interval '24 hours';
  return p_answer;
end
$$;
comment on function internal.store_admin_answer(uuid, uuid, text, jsonb, jsonb) is
  'Keeps an answer under its key for 24 hours, and answers it.';
