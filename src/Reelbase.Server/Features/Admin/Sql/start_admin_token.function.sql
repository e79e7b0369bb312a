-- A session for an admin, for a bearer token from the command line.
create or replace function start_admin_token(p_email text, p_session_id uuid) returns uuid
language plpgsql security definer set search_path = internal, public, pg_temp as $$
declare
  v_id uuid;
begin
  select id into v_id from users where normalize_email(email) = normalize_email(p_email) and is_admin and banned_at is null and was_made_as_admin(id);
  if v_id is not null then
    insert into sessions (id, user_id, method) values (p_session_id, v_id, 'admin');
    insert into admin_actions (action_type, target_user_id, reason) values ('admin_token', v_id, 'from the command line');
  end if;
  return v_id;
end
$$;
comment on function start_admin_token(text, uuid) is
  'The admin''s id, or null when there is none in good standing.';
