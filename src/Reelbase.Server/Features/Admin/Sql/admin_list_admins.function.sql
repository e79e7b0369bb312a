-- Who is an admin; locked_until is about some address, and not about the admin as a whole.
create or replace function admin_list_admins(p_request jsonb) returns jsonb
language plpgsql stable security definer set search_path = internal, public, pg_temp as $$
declare
  v_me uuid := require_admin();
begin
  return jsonb_build_object('rows', (select coalesce(jsonb_agg(describe_user(u) || jsonb_build_object(
      'role', coalesce(c.role, 'operator'), 'can_sign_in', c.user_id is not null, 'locked_until', (
        select to_json_time(max(f.locked_until)) from admin_sign_in_failures f where f.account = admin_account(u.email) and f.locked_until > clock_timestamp()),
      'last_session_at', (select to_json_time(max(s.refreshed_at)) from sessions s where s.user_id = u.id and s.method = 'admin')) order by u.created_at), '[]')
    from (select * from users where is_admin limit 200) u left join admin_credentials c on c.user_id = u.id));
end
$$;
comment on function admin_list_admins(jsonb) is
  '{"rows":[...]}. Raises ERR_4005, ERR_4006.';
