-- Deletes the caller's account, for the app. An admin cannot use it: first another admin takes that away, so that a stolen phone cannot remove
-- who could stop it. A fresh code of Apple (sealed) is kept with the deletion or not at all: it is exchanged only to be revoked.
create or replace function delete_account(p_client_id text, p_code bytea) returns jsonb
language plpgsql security definer set search_path = internal, public, pg_temp as $$
declare
  v_user users := lock_account(require_caller());
begin
  if v_user.is_admin then
    perform raise_error('ERR_4012', '{"reason":"is_admin"}');
  end if;
  if p_code is not null then
    perform keep_apple_authorization(v_user.id, p_client_id, p_code);
  end if;
  return erase_account(v_user.id);
end
$$;
comment on function delete_account(text, bytea) is
  'Deletes the caller''s account; answers as erase_account. Raises ERR_4005, ERR_4006, ERR_4012 (is_admin).';

-- compatibility: the previous release's nodes call this; goes in the next release
create or replace function delete_account() returns jsonb
language sql security definer set search_path = internal, public, pg_temp as $$
  select delete_account(null, null)
$$;
comment on function delete_account() is
  'As above, for the previous release, which keeps the code itself.';
