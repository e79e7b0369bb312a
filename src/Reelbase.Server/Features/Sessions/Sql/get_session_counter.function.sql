create or replace function get_session_counter(p_session_id uuid) returns integer
language sql stable security definer set search_path = internal, public, pg_temp as $$
  select s.refresh_counter from sessions s where s.id = p_session_id and s.revoked_at is null
$$;
comment on function get_session_counter(uuid) is 'The number of a live session''s current refresh token; null when it has ended.';
