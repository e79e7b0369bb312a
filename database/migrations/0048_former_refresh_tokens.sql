-- Runs as the migrating role, because the tables it reads belong to it.
-- A database that is taken over in place has the tokens beside it, where its auth service kept them: those that counted, and each one's predecessor, whose answer
-- may have been lost. They belong to auth users; the app's own row says which of them is its.
do $$
begin
  if to_regclass('auth.refresh_tokens') is null or not exists (
      select from pg_attribute where attrelid = to_regclass('before_reelbase.users') and attname = 'auth_user_id' and not attisdropped) then
    return;
  end if;
  if not has_table_privilege(to_regclass('auth.refresh_tokens'), 'select') then
    insert into reelbase.migration_report (line) values ('auth.refresh_tokens cannot be read by the migrating role: shipped builds will not be able to refresh their sessions');
    return;
  end if;
  with old as (
    select to_jsonb(t) as o, t.token::text as token from auth.refresh_tokens t),
  living as (
    select token, o from old where not coalesce((o ->> 'revoked')::boolean, false)),
  kept as (
    select token, o from living
    union
    select p.token, p.o from old p join living l on l.o ->> 'parent' = p.token)
  insert into former_refresh_tokens (token_hash, user_id, family)
  select sha256(convert_to(k.token, 'UTF8')), u.id, coalesce(k.o ->> 'session_id', 'user ' || u.id)
  from kept k
  join before_reelbase.users b on b.auth_user_id::text = k.o ->> 'user_id'
  join users u on u.id = b.id::uuid
  where k.token is not null and u.deleted_at is null
  on conflict (token_hash) do nothing;
end
$$;
