-- What Apple says about an Apple account. consent-revoked: its sessions end and its tokens, worthless by now, are forgotten.
-- account-deleted (also account-delete): the account here goes too. email-disabled, email-enabled: noted only, since nothing is
-- mailed. Older than the account here: about an earlier one, ignored. Answers the user, null when nobody is meant.
create or replace function apply_account_event(p_type text, p_apple_sub text, p_event_at timestamptz) returns uuid
language plpgsql security definer set search_path = internal, public, pg_temp as $$
declare
  v_user users;
begin
  select * into v_user from users where apple_sub = p_apple_sub and deleted_at is null;
  if not found or v_user.created_at > p_event_at + interval '1 day' then
    return null;
  end if;
  if p_type = 'consent-revoked' then
    -- A session that is being opened is waited for, and ends too.
    perform lock_account(v_user.id);
    update sessions set revoked_at = clock_timestamp()
    where revoked_at is null and user_id in (select id from users where id = v_user.id or merged_into = v_user.id);
    update former_refresh_tokens set used_at = clock_timestamp()
    where used_at is null and user_id in (select id from users where id = v_user.id or merged_into = v_user.id);
    update apple_authorizations set stage = 'revoked', secret = null, updated_at = clock_timestamp(), leased_by = null, lease_until = null
    where user_id = v_user.id and stage in ('code', 'held', 'revoking');
  elsif p_type in ('account-deleted', 'account-delete') then
    perform erase_account(v_user.id);
  end if;
  return v_user.id;
end
$$;
comment on function apply_account_event(text, text, timestamptz) is 'Carries out an event of Apple about an Apple account; answers its user or null.';
