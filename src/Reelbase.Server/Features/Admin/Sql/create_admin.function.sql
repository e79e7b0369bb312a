-- Makes an admin, or gives one that it made a new password and a new second factor; from the command line only, by whoever has the machine.
-- A row that somebody else made (a user of the app with that e-mail) is never turned into one: whoever signs in to it would come along. The
-- audit row names nobody as its admin, and says afterwards which rows were made here. Without a role an admin keeps theirs, and a new one is an operator.
create or replace function create_admin(p_email text, p_password_hash text, p_totp_secret bytea, p_role text) returns uuid
language plpgsql security definer set search_path = internal, public, pg_temp as $$
declare
  v_id uuid;
  v_was_admin boolean := false;
begin
  perform pg_advisory_xact_lock(hashtextextended('reelbase:admins', 0));
  if p_email !~ '^[^@[:space:]]{1,64}@[^@[:space:]]{1,250}$' then
    raise exception 'that is no e-mail address';
  end if;
  select u.id, u.is_admin into v_id, v_was_admin from users u
  where normalize_email(u.email) = normalize_email(p_email) and u.deleted_at is null and was_made_as_admin(u.id)
  order by u.is_admin desc, u.id limit 1;
  if v_id is null then
    if exists (select from users where normalize_email(email) = normalize_email(p_email) and deleted_at is null) then
      raise exception 'a user of the app has the e-mail %, and that account is not made an admin: give another e-mail (for example one with +admin before the @)', p_email;
    end if;
    insert into users (email, is_guest, is_admin) values (p_email, false, true) returning id into v_id;
    v_was_admin := false;
  elsif not v_was_admin then
    update users set is_admin = true, updated_at = now() where id = v_id;
  end if;
  if p_role = 'support' and v_was_admin then
    perform keep_an_admin(v_id);
  end if;
  -- Whoever reads the terminal knows this password: within a day its admin has chosen another.
  insert into admin_credentials (user_id, password_hash, totp_secret, role, initial_until)
  values (v_id, p_password_hash, p_totp_secret, coalesce(p_role, 'operator'), now() + interval '24 hours')
  on conflict on constraint admin_credentials_pkey do update set role = coalesce(p_role, admin_credentials.role), password_hash = excluded.password_hash, totp_secret = excluded.totp_secret,
    totp_step = 0, failed_attempts = 0, locked_until = null, changed_at = now(), initial_until = excluded.initial_until;
  -- Whoever is given a new password may have lost the old one to somebody: their keys go with it.
  delete from admin_passkeys where user_id = v_id;
  delete from admin_sign_in_failures where account = admin_account(p_email);
  update sessions set revoked_at = clock_timestamp() where user_id = v_id and method = 'admin' and revoked_at is null;
  insert into admin_actions (action_type, target_user_id, reason, details) values
    (case when v_was_admin then 'admin_reset' else 'admin_create' end, v_id, 'from the command line', jsonb_build_object('role', admin_role(v_id)));
  return v_id;
end
$$;
comment on function create_admin(text, text, bytea, text) is
  'The id of the new admin, or of the one whose password was made anew. Raises an exception for an e-mail that a user of the app has.';

-- compatibility: the previous release's nodes call this; goes in the next release
create or replace function create_admin(p_email text, p_password_hash text, p_totp_secret bytea) returns uuid
language sql security definer set search_path = internal, public, pg_temp as $$
  select create_admin(p_email, p_password_hash, p_totp_secret, null)
$$;
comment on function create_admin(text, text, bytea) is
  'As above, for the previous release, which knows no roles.';
