-- The app's door to leave by. An admin does not leave through it: first another admin takes that away, so that a stolen phone cannot remove
-- who could stop it.
create or replace function delete_account() returns jsonb
language plpgsql security definer set search_path = public, pg_temp as $$
declare
  v_user users := lock_account(require_caller());
begin
  if v_user.is_admin then
    perform raise_error('ERR_4012', '{"reason":"is_admin"}');
  end if;
  return erase_account(v_user.id);
end
$$;
comment on function delete_account() is
  'Deletes the caller''s account; answers as erase_account. Raises ERR_4005, ERR_4006, ERR_4012 (is_admin).';
