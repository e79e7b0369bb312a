-- An attempt to sign in begins: takes a place of its address (before anything costly is done) and says what it is checked against. Locked is
-- the account at this address, never the account as a whole, so that a stranger keeps no admin out. An e-mail of nobody is locked alike.
-- A browser in which this very admin has signed in before (p_known) has places of its own, as many as failures lock, and no lock: what others
-- do at the same address, or in networks of any size, keeps nobody out of their own browser.
drop function if exists open_admin_attempt(text, inet, integer, integer);
create or replace function open_admin_attempt(
  p_email text, p_network inet, p_limit integer, p_window_seconds integer, p_known uuid, p_known_limit integer, p_known_window_seconds integer)
returns table (is_allowed boolean, is_locked boolean, is_known boolean, user_id uuid, email text, password_hash text, totp_secret bytea)
language plpgsql security definer set search_path = internal, public, pg_temp as $$
#variable_conflict use_column
begin
  is_known := exists (select from users u where u.id = p_known and u.is_admin and normalize_email(u.email) = normalize_email(p_email))
    and (select r.allowed from check_rate_limit('admin_sign_in_known', p_known, p_network, p_known_limit, p_known_window_seconds) r);
  is_allowed := is_known or take_admin_place('admin_sign_in', p_network, p_limit, p_window_seconds);
  is_locked := not is_known and exists (select from admin_sign_in_failures f
    where f.account = admin_account(p_email) and f.network = p_network and f.locked_until > clock_timestamp());
  if is_allowed and not is_locked then
    select c.user_id, u.email, c.password_hash, c.totp_secret into user_id, email, password_hash, totp_secret
    from users u join admin_credentials c on c.user_id = u.id
    where normalize_email(u.email) = normalize_email(p_email) and u.is_admin and u.banned_at is null and u.deleted_at is null;
  end if;
  return next;
end
$$;
comment on function open_admin_attempt(text, inet, integer, integer, uuid, integer, integer) is
  'One row: whether the attempt has a place (of a browser that is known, or of its address), whether the address is locked for this account, and what the attempt is checked against (null for nobody).';
