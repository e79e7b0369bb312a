-- The answer that a call with this key got before; nulls when it is new, or has no key. Called before anything else is locked or read: whatever has changed
-- since, the answer is the first one, and of two calls at once the second waits here for the first. generate_video, which may wait for nothing twice, has the
-- lock of the user's row instead.
create or replace function internal.find_replay(p_user_id uuid, p_key uuid, p_hash bytea) returns idempotency_log language plpgsql as $$
declare
  v_stored idempotency_log;
begin
  perform pg_advisory_xact_lock(hashtextextended('idempotency_key:' || p_user_id || p_key, 0));
  select * into v_stored from internal.stored_answer(p_user_id, p_key);
  if v_stored.request_hash <> p_hash then
    perform raise_error('ERR_4009');
  elsif found then
    -- For the header of the response; the stored answer itself stays as it is.
    perform set_config('reelbase.replayed', 'true', true);
  end if;
  return v_stored;
end
$$;
comment on function internal.find_replay(uuid, uuid, bytea) is
  'The stored answer of a repeated call, or nulls; raises ERR_4009 for another request under the key. Locks the key. Internal to the definer functions.';
