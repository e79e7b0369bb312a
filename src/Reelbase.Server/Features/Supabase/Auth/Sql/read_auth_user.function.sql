create or replace function read_auth_user() returns table (user_id uuid, email text, apple_sub text, is_guest boolean,
  credits_remaining integer, created_at timestamptz, updated_at timestamptz, user_metadata text)
language plpgsql stable security definer set search_path = internal, public, pg_temp as $$
#variable_conflict use_column
declare
  v_me uuid := require_caller();
begin
  return query select u.id, u.email, u.apple_sub, u.is_guest, u.credits_remaining, u.created_at, u.updated_at, u.user_metadata::text
  from users u where u.id = v_me;
end
$$;
comment on function read_auth_user() is 'The caller as the auth API describes them. Raises ERR_4005, ERR_4006.';
