-- compatibility: the previous release's nodes call this; goes in the next release
create or replace function get_auth_user() returns table (user_id uuid, email text, apple_sub text, is_guest boolean,
  credits_remaining integer, created_at timestamptz, updated_at timestamptz)
language plpgsql stable as $$
#variable_conflict use_column
declare
  v_me uuid := require_caller();
begin
  return query select u.id, u.email, u.apple_sub, u.is_guest, u.credits_remaining, u.created_at, u.updated_at
  from users u where u.id = v_me;
end
$$;
comment on function get_auth_user() is 'The caller as the auth API describes them. Raises ERR_4005, ERR_4006.';
