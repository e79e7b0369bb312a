-- Whether somebody who brings a new key for a known device is its guest: they hold an unrevoked refresh token of that guest (the current one or its predecessor,
-- as at a refresh), or are signed in by Apple to the account that the guest is part of.
create or replace function internal.may_join_device_key(p_known_id uuid, p_key jsonb) returns boolean
language sql stable security definer set search_path = internal, public, pg_temp as $$
  select exists (
    select from refresh_tokens t join sessions s on s.id = t.session_id
    where s.id = (p_key ->> 'refresh_session_id')::uuid and t.counter = (p_key ->> 'refresh_counter')::integer
      and t.token_hash = decode(p_key ->> 'refresh_hash', 'hex')
      and s.revoked_at is null and t.counter >= s.refresh_counter - 1 and s.method <> 'admin' and account_of(s.user_id) = p_known_id
  ) or exists (
    select from sessions s
    where s.id = (p_key ->> 'session_id')::uuid and s.revoked_at is null and s.method = 'oauth' and account_of(s.user_id) = account_of(p_known_id))
$$;
comment on function internal.may_join_device_key(uuid, jsonb) is
  'Whether the bearer of a new key has proven to be the guest of its device. Internal to the device functions.';
