-- An admin gets a role; an operator is left, always. Answers the role before. Internal.
create or replace function internal.set_role_of(p_user_id uuid, p_role text) returns text
language plpgsql security definer set search_path = internal, public, pg_temp as $$
declare
  v_before text;
begin
  if p_role <> 'operator' then
    perform keep_an_admin(p_user_id);
  end if;
  select role into v_before from admin_credentials where user_id = p_user_id for no key update;
  if not found then
    perform raise_error('ERR_4012', '{"reason":"not_an_admin"}');
  end if;
  update admin_credentials set role = p_role where user_id = p_user_id;
  return v_before;
end
$$;
comment on function internal.set_role_of(uuid, text) is
  'The role that an admin had; raises ERR_4012 (not_an_admin, last_admin, last_operator). Internal to the admin functions.';
