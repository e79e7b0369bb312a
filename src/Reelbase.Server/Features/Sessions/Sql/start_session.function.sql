-- Opens a session for a user and keeps the hash of its first refresh token (counter 0). Answers the user as tokens and
-- the auth API describe them. A user has at most p_max_sessions; the ones that were idle longest end.
drop function if exists start_session(uuid, uuid, text, bytea);
create or replace function start_session(p_user_id uuid, p_session_id uuid, p_method text, p_token_hash bytea, p_max_sessions integer default 50)
returns table (user_id uuid, email text, apple_sub text, is_guest boolean, credits_remaining integer,
  created_at timestamptz, updated_at timestamptz)
language plpgsql security definer set search_path = internal, public, pg_temp as $$
#variable_conflict use_column
begin
  -- An admin's session comes from admin sign-in alone, never from an endpoint of the app.
  if p_method = 'admin' then
    raise exception 'start_session opens no session of an admin';
  end if;
  -- Calls of one user one after another, so that many at once do not go over the bound together.
  perform 1 from users u where u.id = p_user_id and u.merged_into is null and u.deleted_at is null for no key update;
  if not found then
    -- They became part of another account, or left, since somebody checked: a session now would be inside that account without its proof.
    return;
  end if;
  update sessions s set revoked_at = clock_timestamp()
  where s.id in (
    select o.id from sessions o where o.user_id = p_user_id and o.revoked_at is null and o.method <> 'admin'
    order by greatest(o.refreshed_at, o.created_at) desc, o.id offset greatest(p_max_sessions, 1) - 1);
  insert into sessions (id, user_id, method) values (p_session_id, p_user_id, p_method);
  insert into refresh_tokens (session_id, counter, user_id, token_hash) values (p_session_id, 0, p_user_id, p_token_hash);
  return query select u.id, u.email, u.apple_sub, u.is_guest, u.credits_remaining, u.created_at, u.updated_at
  from users u where u.id = p_user_id;
end
$$;
comment on function start_session(uuid, uuid, text, bytea, integer) is
  'Opens a session, ends the longest idle ones over p_max_sessions, and answers the user''s public identity; no row for somebody who was merged away or has left.';
