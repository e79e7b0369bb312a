-- A refresh token of the former Supabase project. The first of its family opens a session through start_session, and the answer hands out that session's first token
-- (counter 0). From then on it is that session's older token: given the current one again while nothing was refreshed since, or within p_reuse_seconds of the last
-- refresh; later it ends the session, because two seem to hold it. The revocation has to be committed, so this answers an outcome instead of raising.
create or replace function use_former_refresh_token(
  p_token_hash bytea, p_new_session_id uuid, p_first_token_hash bytea, p_reuse_seconds integer, p_max_sessions integer)
returns table (outcome text, session_id uuid, counter integer, method text, user_id uuid, email text, apple_sub text, is_guest boolean,
  credits_remaining integer, created_at timestamptz, updated_at timestamptz)
language plpgsql security definer set search_path = internal, public, pg_temp as $$
#variable_conflict use_column
declare
  v_token former_refresh_tokens;
  v_user users;
  v_session sessions;
begin
  select * into v_token from former_refresh_tokens f where f.token_hash = p_token_hash;
  if not found then
    outcome := 'not_found';
    return next;
    return;
  end if;
  v_user := lock_account(v_token.user_id);
  outcome := case when v_user.id is null or v_user.deleted_at is not null then 'revoked' when v_user.banned_at is not null then 'banned' end;
  if outcome is not null then
    return next;
    return;
  end if;
  perform pg_advisory_xact_lock(hashtextextended('former session:' || v_token.family, 0));
  select * into v_token from former_refresh_tokens f where f.token_hash = p_token_hash;
  if v_token.used_at is null then
    perform 1 from start_session(v_user.id, p_new_session_id, 'anonymous', p_first_token_hash, p_max_sessions);
    update former_refresh_tokens f set session_id = p_new_session_id, used_at = clock_timestamp() where f.family = v_token.family and f.used_at is null;
    session_id := p_new_session_id;
  else
    session_id := v_token.session_id;
  end if;
  select * into v_session from sessions s where s.id = session_id for no key update;
  if not found or v_session.revoked_at is not null then
    outcome := 'revoked';
    return next;
    return;
  elsif v_session.refresh_counter > 0 and v_session.refreshed_at < clock_timestamp() - make_interval(secs => p_reuse_seconds) then
    update sessions s set revoked_at = clock_timestamp() where s.id = session_id;
    outcome := 'already_used';
    return next;
    return;
  end if;
  outcome := 'ok';
  counter := v_session.refresh_counter;
  method := v_session.method;
  user_id := v_user.id;
  email := v_user.email;
  apple_sub := v_user.apple_sub;
  is_guest := v_user.is_guest;
  credits_remaining := v_user.credits_remaining;
  created_at := v_user.created_at;
  updated_at := v_user.updated_at;
  return next;
end
$$;
comment on function use_former_refresh_token(bytea, uuid, bytea, integer, integer) is
  'Outcome ok with the session and the counter to hand out for a refresh token of the former project; or not_found, revoked, banned, already_used.';
