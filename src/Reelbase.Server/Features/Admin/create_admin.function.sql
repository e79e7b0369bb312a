-- Makes an admin, or gives one a new password and a new second factor; from the command line only, by whoever has the machine. The audit
-- row names nobody as its admin.
create or replace function create_admin(p_email text, p_password_hash text, p_totp_secret bytea) returns uuid
language plpgsql security definer set search_path = public, pg_temp as $$
declare
  v_id uuid;
  v_is_new boolean := false;
begin
  perform pg_advisory_xact_lock(hashtextextended('reelbase:admins', 0));
  if p_email !~ '^[^@[:space:]]{1,64}@[^@[:space:]]{1,250}$' then
    raise exception 'that is no e-mail address';
  end if;
  select id into v_id from users where normalize_email(email) = normalize_email(p_email) and is_admin;
  if v_id is null then
    insert into users (email, is_guest, is_admin) values (p_email, false, true) returning id into v_id;
    v_is_new := true;
  end if;
  insert into admin_credentials (user_id, password_hash, totp_secret) values (v_id, p_password_hash, p_totp_secret)
  on conflict on constraint admin_credentials_pkey do update set password_hash = excluded.password_hash, totp_secret = excluded.totp_secret,
    totp_step = 0, failed_attempts = 0, locked_until = null, changed_at = now();
  update sessions set revoked_at = clock_timestamp() where user_id = v_id and method = 'admin' and revoked_at is null;
  insert into admin_actions (action_type, target_user_id, reason) values
    (case when v_is_new then 'admin_create' else 'admin_reset' end, v_id, 'from the command line');
  return v_id;
end
$$;
comment on function create_admin(text, text, bytea) is
  'The id of the new admin, or of the one whose password was made anew.';
