-- The account that an admin request is about, locked, through merges.
create or replace function internal.lock_admin_target(p_request jsonb) returns users
language plpgsql security definer set search_path = internal, public, pg_temp as $$
declare
  v_user users;
begin
  v_user := lock_account(read_admin_uuid(p_request, 'user_id', 'user'));
  if v_user.id is null or v_user.deleted_at is not null then
    perform raise_error('ERR_4007', '{"what":"user"}');
  end if;
  return v_user;
end
$$;
comment on function internal.lock_admin_target(jsonb) is
  'The locked account that a request names; raises ERR_4000, ERR_4007.';
