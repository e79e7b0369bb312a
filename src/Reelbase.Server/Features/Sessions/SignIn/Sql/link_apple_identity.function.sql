-- Links the caller, a guest, to an Apple account whose identity token was verified. Nobody has that Apple account: the guest
-- becomes the member and keeps the id. It has a member already: the two are merged. p_may_merge false refuses the second (ERR_4012).
-- Doing it twice is doing it once. Answers how: linked, merged or already. Sessions of the guest that were opened without Apple's proof end, except
-- the caller's, which counts as proven from now on: whoever had one of them would be inside the member's account. The member's own sessions stay.
-- A claim that nobody has verified (the switch for shipped builds) ends nothing. p_token_hash: the identity token, good for one success.
drop function if exists join_apple_account(text, text, boolean, bytea, timestamptz);
create or replace function link_apple_identity(
  p_apple_sub text, p_email text, p_may_merge boolean, p_token_hash bytea default null, p_token_expires_at timestamptz default null)
returns table (user_id uuid, outcome text)
language plpgsql security definer set search_path = internal, public, pg_temp as $$
#variable_conflict use_column
declare
  v_me uuid := require_caller();
  v_guest users;
  v_member users;
begin
  perform pg_advisory_xact_lock(hashtextextended('apple:' || p_apple_sub, 0));
  v_guest := lock_account(v_me);
  user_id := v_guest.id;
  if v_guest.deleted_at is not null then
    perform raise_error('ERR_4005', '{"reason":"no_such_user"}');
  elsif v_guest.apple_sub = p_apple_sub then
    perform use_identity_token(p_token_hash, v_guest.id, p_token_expires_at);
    outcome := 'already';
    return next;
    return;
  elsif not v_guest.is_guest then
    perform raise_error('ERR_4012', '{"reason":"signed_in_with_another_account"}');
  end if;
  -- Locked and read again: the member may be deleting the account, or may just have been banned.
  select * into v_member from users where apple_sub = p_apple_sub and deleted_at is null for no key update;
  if not found then
    update users set apple_sub = p_apple_sub, email = coalesce(p_email, email), is_guest = false, updated_at = now() where id = v_guest.id;
    perform use_identity_token(p_token_hash, v_guest.id, p_token_expires_at);
    perform end_unproven_sessions(v_guest.id);
    outcome := 'linked';
    return next;
    return;
  elsif not p_may_merge then
    perform raise_error('ERR_4012', '{"reason":"apple_account_has_a_user"}');
  elsif v_member.banned_at is not null then
    perform raise_error('ERR_4006', '{"reason":"banned"}');
  end if;
  perform use_identity_token(p_token_hash, v_member.id, p_token_expires_at);
  perform merge_accounts(v_guest.id, v_member.id);
  perform end_unproven_sessions(v_guest.id);
  user_id := v_member.id;
  outcome := 'merged';
  return next;
end
$$;
comment on function link_apple_identity(text, text, boolean, bytea, timestamptz) is
  'Makes the calling guest the member of a verified Apple account, or merges them into it. Raises ERR_4005, ERR_4006, ERR_4012.';
