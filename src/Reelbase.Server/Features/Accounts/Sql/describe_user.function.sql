-- A user as the console shows one in a list. Internal.
create or replace function internal.describe_user(p_user users) returns jsonb
language sql stable security definer set search_path = internal, public, pg_temp as $$
  select jsonb_build_object('id', p_user.id, 'email', p_user.email, 'is_guest', p_user.is_guest, 'tier', p_user.tier,
    'credits_remaining', p_user.credits_remaining, 'credits_total', p_user.credits_total, 'is_admin', p_user.is_admin,
    'banned_at', to_json_time(p_user.banned_at), 'merged_into', p_user.merged_into, 'deleted_at', to_json_time(p_user.deleted_at), 'language', p_user.language,
    'has_apple', p_user.apple_sub is not null, 'initial_grant_claimed', p_user.initial_grant_claimed, 'created_at', to_json_time(p_user.created_at),
    'updated_at', to_json_time(p_user.updated_at))
$$;
comment on function internal.describe_user(users) is
  'A user for the console, as JSON. Internal to the admin functions.';
