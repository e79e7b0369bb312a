-- Somebody has proven to be this admin: what was counted against the account at this address is forgotten. Internal.
create or replace function internal.forget_admin_failures(p_user_id uuid, p_network inet) returns void
language plpgsql security definer set search_path = internal, public, pg_temp as $$
begin
  delete from admin_sign_in_failures where network = p_network and account = (select admin_account(email) from users where id = p_user_id);
end
$$;
comment on function internal.forget_admin_failures(uuid, inet) is
  'Forgets what was counted against an admin at an address. Internal to the functions of signing in.';
