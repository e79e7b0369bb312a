-- What is kept of somebody's requests follows them: one that was made under the former id and is repeated under the new one finds its answer and is
-- not carried out again, and a limit that was used up stays so. An answer that both have under one key stays the new one's, unless it has expired.
create or replace function internal.move_request_logs(p_from_user_id uuid, p_to_user_id uuid) returns void
language plpgsql set search_path = internal, public, pg_temp as $$
begin
  delete from idempotency_log m using idempotency_log g
  where g.user_id = p_from_user_id and m.user_id = p_to_user_id and m.idempotency_key = g.idempotency_key and m.expires_at <= now() and g.expires_at > now();
  update idempotency_log g set user_id = p_to_user_id where g.user_id = p_from_user_id
    and not exists (select from idempotency_log m where m.user_id = p_to_user_id and m.idempotency_key = g.idempotency_key);
  update rate_limit_log set user_id = p_to_user_id where user_id = p_from_user_id;
end
$$;
comment on function internal.move_request_logs(uuid, uuid) is 'Moves answers that are kept and uses of limits to another user. Internal to the definer functions.';
