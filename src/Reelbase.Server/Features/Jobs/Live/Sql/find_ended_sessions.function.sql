-- Which of the caller's sessions are over, or why the whole account may watch nothing more. What require_caller raises, for many sessions at once.
create or replace function find_ended_sessions(p_sessions uuid[], out sessions uuid[], out reason text)
language plpgsql stable security definer set search_path = internal, public, pg_temp as $$
declare
  v_sub uuid := auth.uid();
  v_user users;
begin
  select (coalesce(m, u)).* into v_user from users u left join users m on m.id = u.merged_into where u.id = v_sub;
  reason := case
    when v_user.id is null or v_user.deleted_at is not null then 'no_such_user'
    when v_user.banned_at is not null then 'banned'
  end;
  sessions := array(
    select k.id from unnest(p_sessions) k(id)
    where not exists (select from sessions s where s.id = k.id and s.revoked_at is null and s.user_id in (v_sub, v_user.id)));
end
$$;
comment on function find_ended_sessions(uuid[]) is 'Those of the caller''s sessions that are over, and why the account may not watch at all.';
