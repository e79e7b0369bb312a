-- Keeps an authorization code of Apple (encrypted) for its exchange, which a worker does at once: the code lives five minutes.
create or replace function keep_apple_authorization(p_user_id uuid, p_client_id text, p_code bytea) returns void
language sql security definer set search_path = internal, public, pg_temp as $$
  insert into apple_authorizations (user_id, client_id, stage, secret, revoke_wanted)
  select u.id, p_client_id, 'code', p_code, u.deleted_at is not null from users u where u.id = account_of(p_user_id)
$$;
comment on function keep_apple_authorization(uuid, text, bytea) is 'Keeps an encrypted authorization code of a user for its exchange.';
