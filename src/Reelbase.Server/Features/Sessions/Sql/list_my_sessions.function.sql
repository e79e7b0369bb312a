-- The caller's open sessions in apps, the one that is asking first, then the last used. An admin's sessions of the console are shown in the console only.
create or replace function list_my_sessions()
returns table (session_id uuid, signed_in_with text, created_at timestamptz, last_used_at timestamptz, is_current boolean)
language plpgsql stable security definer set search_path = internal, public, pg_temp as $$
#variable_conflict use_column
begin
  perform require_caller();
  return query
  select s.id, case s.method when 'oauth' then 'apple' else 'device' end, s.created_at, greatest(s.refreshed_at, s.created_at),
    s.id is not distinct from (auth.jwt() ->> 'session_id')::uuid
  from sessions s where s.user_id = any (my_user_ids()) and s.revoked_at is null and s.method <> 'admin'
  order by 5 desc, 4 desc, s.id limit 200;
end
$$;
comment on function list_my_sessions() is 'The caller''s open sessions in apps. Raises ERR_4005, ERR_4006.';
