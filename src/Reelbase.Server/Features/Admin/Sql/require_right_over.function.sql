-- Support acts on users of the app. What would keep an admin out (a ban, ended sessions) is an operator's to do.
create or replace function internal.require_right_over(p_admin_id uuid, p_user users) returns void
language plpgsql stable security definer set search_path = internal, public, pg_temp as $$
begin
  if p_user.is_admin and p_user.id <> p_admin_id and admin_role(p_admin_id) <> 'operator' then
    perform raise_error('ERR_4006', '{"reason":"operator_required"}');
  end if;
end
$$;
comment on function internal.require_right_over(uuid, users) is
  'Raises ERR_4006 when support acts on an admin. Internal to the admin functions.';
