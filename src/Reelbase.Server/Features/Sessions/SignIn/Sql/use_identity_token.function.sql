-- Counts the one success that an identity token of Apple is good for, in the transaction of that success: a refusal rolls back and uses nothing up.
-- The same bearer may repeat it within a minute (the answer was lost) and is taken for the same request; anybody else, or later, is refused.
-- Without a bearer nothing says that it is the same phone: the second call is refused, and the app asks Apple for another token, as at any failed sign-in.
-- p_token_hash null: the previous release's nodes, which do not say.
create or replace function internal.use_identity_token(p_token_hash bytea, p_user_id uuid, p_expires_at timestamptz) returns void
language plpgsql security definer set search_path = internal, public, pg_temp as $$
declare
  c_repeat_seconds constant integer := 60;
  v_session_id uuid := (auth.jwt() ->> 'session_id')::uuid;
begin
  if p_token_hash is null then
    return;
  end if;
  -- Whatever has ended by itself needs no memory; a few at each success keep the table as small as the sign-ins of its last minutes.
  delete from used_identity_tokens where token_hash in (
    select t.token_hash from used_identity_tokens t where t.expires_at < clock_timestamp() limit 10 for update skip locked);
  insert into used_identity_tokens (token_hash, user_id, session_id, used_at, expires_at)
  values (p_token_hash, p_user_id, v_session_id, clock_timestamp(), p_expires_at)
  on conflict (token_hash) do nothing;
  if not found and not exists (
      select from used_identity_tokens t where t.token_hash = p_token_hash and t.session_id = v_session_id
        and account_of(t.user_id) = account_of(p_user_id) and t.used_at > clock_timestamp() - make_interval(secs => c_repeat_seconds)) then
    perform raise_error('ERR_4005', '{"reason":"bad_id_token","fault":"used"}');
  end if;
end
$$;
comment on function internal.use_identity_token(bytea, uuid, timestamptz) is
  'Uses an identity token up; raises ERR_4005 (used) for a second success. Internal to the sign-in functions.';
