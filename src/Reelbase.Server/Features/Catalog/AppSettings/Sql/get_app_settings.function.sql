-- The app's flags. Limits, whose names have a colon, are the server's own business.
create or replace function get_app_settings() returns jsonb
language sql stable security definer set search_path = internal, public, pg_temp as $$
  select coalesce(jsonb_object_agg(key, value), '{}') from app_settings where strpos(key, ':') = 0
$$;
comment on function get_app_settings() is 'The flags of the app by key; the server''s limits are not among them.';
