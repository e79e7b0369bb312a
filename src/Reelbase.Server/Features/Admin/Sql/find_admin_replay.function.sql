-- The stored answer of an admin call that was made before under this key; null when it is new. The caller has locked what it changes,
-- so of two calls at once the second one finds the answer of the first.
create or replace function internal.find_admin_replay(p_admin_id uuid, p_key uuid, p_operation text, p_request jsonb) returns jsonb
language plpgsql security definer set search_path = public, internal, pg_temp as $$
declare
  v_stored idempotency_log;
begin
  -- The admin's key is claimed for this transaction, also when the two calls are about different users.
  perform pg_advisory_xact_lock(hashtextextended('admin_key:' || p_admin_id || p_key, 0));
  select * into v_stored from idempotency_log where user_id = p_admin_id and idempotency_key = p_key and expires_at > now();
  if not found then
    return null;
  elsif v_stored.request_hash <> sha256(convert_to(p_operation || ':' || p_request::text, 'UTF8')) then
    perform raise_error('ERR_4009');
  end if;
  return v_stored.response_data;
end
$$;
comment on function internal.find_admin_replay(uuid, uuid, text, jsonb) is
  'The answer that was given under a key before, or null; raises ERR_4009.';
