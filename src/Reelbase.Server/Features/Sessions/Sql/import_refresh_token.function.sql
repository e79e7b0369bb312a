-- Carries a refresh token of a former project over: its hash, the user whose it is, and what was one session there. Twice is once.
create or replace function internal.import_refresh_token(p_token_hash bytea, p_user_id uuid, p_family text) returns boolean
language plpgsql security definer set search_path = internal, public, pg_temp as $$
begin
  if octet_length(p_token_hash) <> 32 then
    raise exception 'import_refresh_token: the hash is the SHA-256 of the token''s text';
  end if;
  insert into former_refresh_tokens (token_hash, user_id, family)
  select p_token_hash, u.id, p_family from users u where u.id = p_user_id and u.deleted_at is null
  on conflict (token_hash) do nothing;
  return found;
end
$$;
comment on function internal.import_refresh_token(bytea, uuid, text) is 'Keeps the hash of a former refresh token; false when it is known or its user is not. For the import, which runs as the owner.';
