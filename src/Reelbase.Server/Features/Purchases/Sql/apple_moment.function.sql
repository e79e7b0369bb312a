-- A time of Apple's, in milliseconds, as a moment that every part of us can show and compare: what is beyond is taken at the nearest one.
create or replace function internal.apple_moment(p_milliseconds numeric, p_latest timestamptz default '9999-12-31 00:00:00+00') returns timestamptz
language sql stable parallel safe set search_path = internal, public, pg_temp as $$
  select least(to_timestamp(greatest(0, least(p_milliseconds, 253402214400000))::bigint / 1000.0), p_latest)
$$;
comment on function internal.apple_moment(numeric, timestamptz) is 'Milliseconds since 1970 as a time between 1970 and p_latest; null for null.';
