-- Takes an admin's right away from the command line. False when there is no such admin.
create or replace function revoke_admin(p_email text) returns boolean
language plpgsql security definer set search_path = internal, public, pg_temp as $$
declare
  v_id uuid;
begin
  select id into v_id from users where normalize_email(email) = normalize_email(p_email) and is_admin for no key update;
  if v_id is null then
    return false;
  end if;
  perform keep_an_admin(v_id);
  insert into admin_actions (action_type, target_user_id, reason) values ('admin_revoke', v_id, 'from the command line');
  perform remove_admin(v_id);
  return true;
end
$$;
comment on function revoke_admin(text) is
  'Whether there was such an admin. Raises ERR_4012 for the last one.';
