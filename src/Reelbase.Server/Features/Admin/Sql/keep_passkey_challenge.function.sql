-- A challenge is good for five minutes; what is older goes, a little at a time. Internal.
create or replace function internal.keep_passkey_challenge(p_hash bytea, p_user_id uuid) returns void
language plpgsql security definer set search_path = internal, public, pg_temp as $$
begin
  delete from admin_passkey_challenges where hash in (
    select hash from admin_passkey_challenges where expires_at < clock_timestamp() order by expires_at limit 100 for update skip locked);
  insert into admin_passkey_challenges (hash, user_id, expires_at) values (p_hash, p_user_id, clock_timestamp() + interval '5 minutes');
end
$$;
comment on function internal.keep_passkey_challenge(bytea, uuid) is
  'Keeps the hash of a challenge. Internal to the functions of passkeys.';
