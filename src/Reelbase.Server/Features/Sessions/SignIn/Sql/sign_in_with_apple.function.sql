-- The member of an Apple account, made at the first time. p_apple_sub is from an identity token that was verified. Two first
-- sign-ins at once wait for each other and find one member. p_token_hash: the identity token, which is good for one success.
drop function if exists sign_in_with_apple(text, text);
create or replace function sign_in_with_apple(
  p_apple_sub text, p_email text, p_token_hash bytea default null, p_token_expires_at timestamptz default null)
returns table (user_id uuid, is_new boolean, is_banned boolean)
language plpgsql security definer set search_path = internal, public, pg_temp as $$
#variable_conflict use_column
declare
  v_user users;
begin
  perform pg_advisory_xact_lock(hashtextextended('apple:' || p_apple_sub, 0));
  select * into v_user from users where apple_sub = p_apple_sub and deleted_at is null;
  is_new := not found;
  if is_new then
    insert into users (apple_sub, email, is_guest) values (p_apple_sub, p_email, false) returning * into v_user;
  elsif p_email is not null and v_user.email is distinct from p_email then
    update users set email = p_email, updated_at = now() where id = v_user.id;
  end if;
  user_id := v_user.id;
  is_banned := v_user.banned_at is not null;
  if not is_banned then
    perform use_identity_token(p_token_hash, v_user.id, p_token_expires_at);
  end if;
  return next;
end
$$;
comment on function sign_in_with_apple(text, text, bytea, timestamptz) is
  'The member of a verified Apple account, made when there is none. Raises ERR_4005 when the token was used before.';
