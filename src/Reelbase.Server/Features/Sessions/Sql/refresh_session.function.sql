-- Rotates a refresh token. Tokens of a session are numbered; the server can make the token of any number again, so the
-- answer is only which number to hand out. The session row is locked: parallel refreshes with one token converge.
--   current           -> the next number (rotated)
--   its predecessor   -> the current number, without limit of time: the answer was lost on the way; but late in p_max_late_generations
--                        generations running -> already_used, revoked, with an alert: two holders keep each other alive like that
--   older, within p_reuse_seconds of the last rotation -> the current number
--   older than that   -> already_used, and the session is revoked: somebody else may hold a copy
--   any, of a session that was opened more than p_max_days ago -> revoked; 0: sessions have no end by age
-- The revocation has to be committed, so this answers an outcome instead of raising.
drop function if exists refresh_session(uuid, integer, bytea, bytea, integer);
create or replace function refresh_session(
  p_session_id uuid, p_counter integer, p_token_hash bytea, p_next_token_hash bytea, p_reuse_seconds integer,
  p_max_late_generations integer, p_max_days integer)
returns table (outcome text, counter integer, method text, user_id uuid, email text, apple_sub text, is_guest boolean,
  credits_remaining integer, created_at timestamptz, updated_at timestamptz)
language plpgsql security definer set search_path = internal, public, pg_temp as $$
#variable_conflict use_column
declare
  v_session sessions;
  v_user users;
begin
  select * into v_session from sessions where id = p_session_id for no key update;
  if not found or not exists (
      select from refresh_tokens t where t.session_id = p_session_id and t.counter = p_counter and t.token_hash = p_token_hash) then
    outcome := 'not_found';
    return next;
    return;
  end if;
  select (coalesce(m, u)).* into v_user from users u left join users m on m.id = u.merged_into where u.id = v_session.user_id;
  if v_session.revoked_at is null and p_max_days > 0 and v_session.created_at < clock_timestamp() - make_interval(days => p_max_days) then
    update sessions set revoked_at = clock_timestamp() where id = p_session_id returning * into v_session;
  end if;
  if v_session.revoked_at is not null or v_user.deleted_at is not null then
    outcome := 'revoked';
    return next;
    return;
  elsif v_user.banned_at is not null then
    outcome := 'banned';
    return next;
    return;
  end if;
  counter := v_session.refresh_counter;
  if p_counter = v_session.refresh_counter then
    counter := p_counter + 1;
    insert into refresh_tokens (session_id, counter, user_id, token_hash)
    values (p_session_id, p_counter + 1, v_session.user_id, p_next_token_hash);
    update sessions set refresh_counter = p_counter + 1, refreshed_at = clock_timestamp() where id = p_session_id;
    -- Numbers far behind can only ever be answered with "already used"; a handful is enough to recognise them.
    delete from refresh_tokens t where t.session_id = p_session_id and t.counter < p_counter - 20;
  elsif p_counter = v_session.refresh_counter - 1
      and v_session.refreshed_at < clock_timestamp() - make_interval(secs => p_reuse_seconds) then
    -- A phone that lost one answer comes late once; the same generation presented again is the same lateness.
    if v_session.late_generation is distinct from v_session.refresh_counter then
      update sessions set late_generation = refresh_counter,
        late_generations_running = case when late_generation = refresh_counter - 1 then late_generations_running + 1 else 1 end
      where id = p_session_id returning * into v_session;
    end if;
    if v_session.late_generations_running >= p_max_late_generations then
      update sessions set revoked_at = clock_timestamp() where id = p_session_id;
      perform raise_alert('refresh_token_shared', p_session_id::text, format(
        'A session of user %s was ended: its refresh token was used late in %s generations running, as when two hold it.',
        v_session.user_id, v_session.late_generations_running));
      outcome := 'already_used';
      return next;
      return;
    end if;
  elsif p_counter < v_session.refresh_counter - 1
      and v_session.refreshed_at < clock_timestamp() - make_interval(secs => p_reuse_seconds) then
    update sessions set revoked_at = clock_timestamp() where id = p_session_id;
    outcome := 'already_used';
    return next;
    return;
  end if;
  outcome := 'ok';
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
comment on function refresh_session(uuid, integer, bytea, bytea, integer, integer, integer) is
  'Outcome ok with the counter to hand out, or not_found, revoked, banned, already_used (the session is then revoked).';

-- compatibility: the previous release's nodes call this; goes in the next release
create or replace function refresh_session(
  p_session_id uuid, p_counter integer, p_token_hash bytea, p_next_token_hash bytea, p_reuse_seconds integer,
  p_max_late_generations integer default 5)
returns table (outcome text, counter integer, method text, user_id uuid, email text, apple_sub text, is_guest boolean,
  credits_remaining integer, created_at timestamptz, updated_at timestamptz)
language sql security definer set search_path = internal, public, pg_temp as $$
  select * from refresh_session(p_session_id, p_counter, p_token_hash, p_next_token_hash, p_reuse_seconds, p_max_late_generations, 0)
$$;
comment on function refresh_session(uuid, integer, bytea, bytea, integer, integer) is
  'As the one with an age, for nodes of the previous release.';
