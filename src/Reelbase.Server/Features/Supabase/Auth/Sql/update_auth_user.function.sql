-- What the auth API may change about its caller: the metadata, and nothing else.
create or replace function update_auth_user(p_changes jsonb) returns void
language plpgsql security definer set search_path = internal, public, pg_temp as $$
declare
  v_user users := lock_account(require_caller());
begin
  if p_changes is not null then
    update users set user_metadata = change_user_metadata(v_user.user_metadata, p_changes), updated_at = now() where id = v_user.id;
  end if;
end
$$;
comment on function update_auth_user(jsonb) is 'Merges changes into the caller''s user_metadata; a null removes a member. Raises ERR_4000, ERR_4005, ERR_4006.';
