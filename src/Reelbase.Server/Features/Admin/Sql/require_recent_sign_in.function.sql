-- A key is another way in for ever: whoever finds an open console adds none. It takes a sign-in of the last minutes, from the first step of adding one to the last.
create or replace function internal.require_recent_sign_in() returns void
language plpgsql stable security definer set search_path = internal, public, pg_temp as $$
begin
  if not exists (select from sessions s where s.id = (auth.jwt() ->> 'session_id')::uuid and s.created_at > clock_timestamp() - interval '10 minutes') then
    perform raise_error('ERR_4006', '{"reason":"sign_in_again"}');
  end if;
end
$$;
comment on function internal.require_recent_sign_in() is
  'Nothing for an admin who has signed in within ten minutes. Raises ERR_4006 (sign_in_again). Internal to the functions of passkeys.';
