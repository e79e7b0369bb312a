-- The answer that a user's key has and that has not expired, or no row. One query, so that PostgreSQL puts it into the statements that read it.
create or replace function internal.stored_answer(p_user_id uuid, p_key uuid) returns setof idempotency_log language sql stable as $$
  select * from idempotency_log where user_id = p_user_id and idempotency_key = p_key and expires_at > now()
$$;
comment on function internal.stored_answer(uuid, uuid) is 'The answer of a key that has not expired, or no row. Internal to the definer functions.';
