-- Ends a user row's sessions that were opened without Apple's proof, except the caller's, which is proven from now on. Where nobody has proven
-- anything (claims marked unverified) nothing ends.
create or replace function internal.end_unproven_sessions(p_user_id uuid) returns void
language plpgsql security definer set search_path = internal, public, pg_temp as $$
declare
  v_current uuid := (auth.jwt() ->> 'session_id')::uuid;
begin
  if v_current is null then
    return;
  end if;
  update sessions set revoked_at = clock_timestamp()
  where user_id = p_user_id and revoked_at is null and method = 'anonymous' and id <> v_current;
  update former_refresh_tokens set used_at = clock_timestamp() where user_id = p_user_id and used_at is null;
  update sessions set method = 'oauth' where id = v_current and method = 'anonymous';
end
$$;
comment on function internal.end_unproven_sessions(uuid) is 'Revokes the sessions of a guest row that carry no proof of Apple, except the caller''s. Internal to the sign-in functions.';
