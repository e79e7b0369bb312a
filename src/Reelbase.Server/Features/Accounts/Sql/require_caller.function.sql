-- Who is asking, or the fitting error: no such account or a session that was ended is ERR_4005, a banned account is
-- ERR_4006. Every user operation begins with it, so a ban or a logout takes effect on the next request.
create or replace function require_caller() returns uuid
language plpgsql stable security definer set search_path = internal, public, pg_temp as $$
declare
  v_claims jsonb := auth.jwt();
  v_sub uuid := (v_claims ->> 'sub')::uuid;
  v_session uuid := (v_claims ->> 'session_id')::uuid;
  v_has_session boolean;
  v_id uuid;
  v_deleted_at timestamptz;
  v_banned_at timestamptz;
begin
  select u.id, u.deleted_at, u.banned_at, exists (select from sessions s where s.id = v_session and s.revoked_at is null and s.user_id = v_sub)
  into v_id, v_deleted_at, v_banned_at, v_has_session from users u where u.id = v_sub and u.merged_into is null;
  if v_id is null then
    select m.id, m.deleted_at, m.banned_at, exists (select from sessions s where s.id = v_session and s.revoked_at is null and s.user_id in (v_sub, m.id))
    into v_id, v_deleted_at, v_banned_at, v_has_session from users u join users m on m.id = u.merged_into where u.id = v_sub;
  end if;
  if v_id is null or v_deleted_at is not null then
    perform raise_error('ERR_4005', '{"reason":"no_such_user"}');
  end if;
  if v_banned_at is not null then
    perform raise_error('ERR_4006', '{"reason":"banned"}');
  end if;
  -- Only the compatibility mode for shipped apps makes claims without a session.
  if not v_has_session and not coalesce((v_claims ->> 'unverified')::boolean, false) then
    perform raise_error('ERR_4005', '{"reason":"session_ended"}');
  end if;
  return v_id;
end
$$;
comment on function require_caller() is
  'The caller''s account id after merges; raises ERR_4005 (no account, ended session) or ERR_4006 (banned).';
