-- An attempt to sign in with a passkey begins: it takes a place of its address, other than those of passwords, and uses the challenge up. Locked is
-- the account at this address.
create or replace function open_passkey_attempt(p_hash bytea, p_credential_id bytea, p_network inet, p_limit integer, p_window_seconds integer)
returns table (is_allowed boolean, is_challenge boolean, user_id uuid, email text, public_key bytea)
language plpgsql security definer set search_path = internal, public, pg_temp as $$
#variable_conflict use_column
begin
  is_allowed := take_admin_place('admin_passkey_sign_in', p_network, p_limit, p_window_seconds);
  is_challenge := false;
  if is_allowed then
    delete from admin_passkey_challenges c where c.hash = p_hash and c.user_id is null and c.expires_at > clock_timestamp();
    is_challenge := found;
  end if;
  if is_challenge then
    select p.user_id, u.email, p.public_key into user_id, email, public_key
    from admin_passkeys p join users u on u.id = p.user_id
    where p.credential_id = p_credential_id and u.is_admin and u.banned_at is null and u.deleted_at is null
      and not exists (select from admin_sign_in_failures f
        where f.account = admin_account(u.email) and f.network = p_network and f.locked_until > clock_timestamp());
  end if;
  return next;
end
$$;
comment on function open_passkey_attempt(bytea, bytea, inet, integer, integer) is
  'One row: whether the address has attempts left, whether the challenge was good (it is used up), and what the attempt is checked against (null for nobody, and for who is locked here).';
