-- compatibility: the previous release's nodes call this; goes in the next release
-- What signing in has to check: the hash of the password and the sealed second factor. No row for nobody, for somebody banned, and for
-- whoever is locked out: they are all the same from outside.
create or replace function find_admin_credentials(p_email text) returns table (user_id uuid, email text, password_hash text, totp_secret bytea, is_locked boolean)
language plpgsql stable security definer set search_path = internal, public, pg_temp as $$
begin
  return query select c.user_id, u.email, c.password_hash, c.totp_secret, coalesce(c.locked_until > clock_timestamp(), false)
  from users u join admin_credentials c on c.user_id = u.id
  where normalize_email(u.email) = normalize_email(p_email) and u.is_admin and u.banned_at is null and u.deleted_at is null;
end
$$;
comment on function find_admin_credentials(text) is
  'What an attempt to sign in is checked against; no row when there is no such admin.';
