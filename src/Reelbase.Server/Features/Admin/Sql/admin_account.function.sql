-- Under what failed attempts to sign in with this e-mail are counted, whether it names an admin or nobody.
create or replace function internal.admin_account(p_email text) returns bytea
language sql stable security definer set search_path = internal, public, pg_temp as $$
  select sha256(convert_to(normalize_email(p_email), 'UTF8'))
$$;
comment on function internal.admin_account(text) is
  'The hash of an e-mail that failed attempts are counted under. Internal to the definer functions.';
