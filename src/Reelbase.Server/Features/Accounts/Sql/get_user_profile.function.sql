-- The caller's own row, in the shape of the User object of the apps. The device id is a secret and not in it: apps that need one send their user id.
create or replace function get_user_profile() returns table (
  id uuid, email text, device_id text, apple_sub text, is_guest boolean, tier text, credits_remaining integer,
  credits_total integer, initial_grant_claimed boolean, language text, theme_preference text,
  created_at timestamptz, updated_at timestamptz)
language plpgsql stable as $$
#variable_conflict use_column
declare
  v_me uuid := require_caller();
begin
  return query
  select id, email, null::text, apple_sub, is_guest, tier, credits_remaining, credits_total, initial_grant_claimed,
    language, theme_preference, created_at, updated_at
  from users where id = v_me;
end
$$;
comment on function get_user_profile() is 'The caller''s profile. Raises ERR_4005, ERR_4006.';
