-- The calling admin wants to add a passkey: whose it will be, and which keys they have already.
create or replace function open_passkey_registration(p_hash bytea) returns table (user_id uuid, email text, credential_ids text)
language plpgsql security definer set search_path = internal, public, pg_temp as $$
#variable_conflict use_column
declare
  c_max_passkeys constant integer := 20;
  v_admin uuid := require_admin();
begin
  perform require_recent_sign_in();
  if (select count(*) from admin_passkeys p where p.user_id = v_admin) >= c_max_passkeys then
    perform raise_error('ERR_4012', jsonb_build_object('reason', 'too_many_passkeys', 'max', c_max_passkeys));
  end if;
  select v_admin, u.email, coalesce((select string_agg(encode(p.credential_id, 'hex'), ',' order by p.created_at) from admin_passkeys p where p.user_id = v_admin), '')
  into user_id, email, credential_ids from users u where u.id = v_admin;
  -- The last one asked for is the one that counts.
  delete from admin_passkey_challenges c where c.user_id = v_admin;
  perform keep_passkey_challenge(p_hash, v_admin);
  return next;
end
$$;
comment on function open_passkey_registration(bytea) is
  'The caller, and the ids of their keys (hexadecimal, with commas). Raises ERR_4005, ERR_4006 (sign_in_again), ERR_4012 (too_many_passkeys).';
