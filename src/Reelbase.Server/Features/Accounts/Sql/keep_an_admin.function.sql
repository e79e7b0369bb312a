-- Nobody may be left without an admin, nor the admins without an operator: of two who remove each other at once one is too late. Internal.
create or replace function internal.keep_an_admin(p_leaving uuid) returns void
language plpgsql security definer set search_path = internal, public, pg_temp as $$
begin
  perform pg_advisory_xact_lock(hashtextextended('reelbase:admins', 0));
  if not exists (select from users where id = p_leaving and is_admin) then
    return;
  elsif not exists (select from users where is_admin and banned_at is null and deleted_at is null and id <> p_leaving) then
    perform raise_error('ERR_4012', '{"reason":"last_admin"}');
  elsif admin_role(p_leaving) = 'operator' and not exists (
    select from users where is_admin and banned_at is null and deleted_at is null and id <> p_leaving and admin_role(id) = 'operator') then
    perform raise_error('ERR_4012', '{"reason":"last_operator"}');
  end if;
end
$$;
comment on function internal.keep_an_admin(uuid) is
  'Raises ERR_4012 when nobody else is an admin (last_admin) or an operator (last_operator). Internal to the admin functions.';
