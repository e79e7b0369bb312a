-- The calling admin when they are an operator, or the fitting error. The role is read at each call, so a role that was taken away is gone.
create or replace function internal.require_operator() returns uuid
language plpgsql stable security definer set search_path = internal, public, pg_temp as $$
declare
  v_me uuid := require_admin();
begin
  if admin_role(v_me) <> 'operator' then
    perform raise_error('ERR_4006', '{"reason":"operator_required"}');
  end if;
  return v_me;
end
$$;
comment on function internal.require_operator() is
  'The calling operator''s id; raises ERR_4005, ERR_4006. Internal to the admin functions.';
