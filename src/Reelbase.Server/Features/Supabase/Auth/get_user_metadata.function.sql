create or replace function get_user_metadata(p_user_id uuid) returns text
language sql stable security definer set search_path = public, pg_temp as $$
  select u.user_metadata::text from users u where u.id = p_user_id
$$;
comment on function get_user_metadata(uuid) is 'The user_metadata of an account, as JSON text, for its access tokens.';
