-- Ends one session of the caller's, also the one that is asking. What is not theirs cannot be distinguished from what never was; one that has ended already is no error, since
-- the answer of the first call may be lost.
create or replace function end_session(p_session_id uuid) returns void
language plpgsql security definer set search_path = internal, public, pg_temp as $$
begin
  perform require_caller();
  update sessions set revoked_at = coalesce(revoked_at, clock_timestamp())
  where id = p_session_id and user_id = any (my_user_ids()) and method <> 'admin';
  if not found then
    perform raise_error('ERR_4007', '{"what":"session"}');
  end if;
end
$$;
comment on function end_session(uuid) is 'Revokes one of the caller''s sessions in apps. Raises ERR_4005, ERR_4006, ERR_4007.';
