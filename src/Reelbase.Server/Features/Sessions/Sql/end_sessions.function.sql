-- Ends the caller's sessions: local (this one), others, or global (all).
create or replace function end_sessions(p_scope text) returns void
language plpgsql security definer set search_path = internal, public, pg_temp as $$
declare
  v_me uuid := require_caller();
  v_current uuid := (auth.jwt() ->> 'session_id')::uuid;
begin
  if p_scope <> 'local' then
    -- Whoever is opening a session with an unused token of the former project is waited for, and theirs ends too.
    perform lock_account(v_me);
  end if;
  update sessions set revoked_at = clock_timestamp()
  where revoked_at is null and user_id = any (my_user_ids()) and case p_scope
    when 'local' then id = v_current
    when 'others' then id is distinct from v_current
    else true end;
  if p_scope <> 'local' then
    -- Tokens of the former project that nobody has used yet are sessions too.
    update former_refresh_tokens set used_at = clock_timestamp() where used_at is null and user_id = any (my_user_ids());
  end if;
end
$$;
comment on function end_sessions(text) is 'Revokes the caller''s sessions by scope local, others or global. Raises ERR_4005, ERR_4006.';
