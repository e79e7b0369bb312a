-- In PL/pgSQL, which keeps its plan: every session that is opened or refreshed asks, and planning cost more than opening it.
create or replace function get_user_metadata(p_user_id uuid) returns text
language plpgsql stable security definer set search_path = internal, public, pg_temp as $$
begin
  return (select u.user_metadata::text from users u where u.id = p_user_id);
end
$$;
comment on function get_user_metadata(uuid) is 'The user_metadata of an account, as JSON text, for its access tokens.';
