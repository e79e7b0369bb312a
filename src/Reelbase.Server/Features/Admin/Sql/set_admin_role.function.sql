-- Gives an admin a role from the command line. False when there is no such admin.
create or replace function set_admin_role(p_email text, p_role text) returns boolean
language plpgsql security definer set search_path = internal, public, pg_temp as $$
declare
  v_id uuid;
  v_before text;
begin
  select id into v_id from users where normalize_email(email) = normalize_email(p_email) and is_admin for no key update;
  if v_id is null then
    return false;
  end if;
  v_before := set_role_of(v_id, p_role);
  insert into admin_actions (action_type, target_user_id, reason, details)
  values ('admin_role', v_id, 'from the command line', jsonb_build_object('from', v_before, 'to', p_role));
  return true;
end
$$;
comment on function set_admin_role(text, text) is
  'Whether there was such an admin. Raises ERR_4012 for the last operator.';
