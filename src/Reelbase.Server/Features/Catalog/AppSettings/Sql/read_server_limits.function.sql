create or replace function read_server_limits() returns table (key text, value integer)
language sql stable security definer set search_path = internal, public, pg_temp as $$
  select s.key, s.value::integer from app_settings s join app_setting_limits() l on l.key = s.key
$$;
comment on function read_server_limits() is 'The limits that operators have changed; the others are as each node''s configuration says.';
