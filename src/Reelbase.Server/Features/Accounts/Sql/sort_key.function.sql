-- A time and an id as one text that is ordered as they are, byte by byte.
create or replace function internal.sort_key(p_time timestamptz, p_id text) returns text
language sql stable parallel safe set search_path = internal, public, pg_temp as $$
  select to_char(p_time at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US') || '/' || p_id
$$;
comment on function internal.sort_key(timestamptz, text) is 'What pages are ordered by and begin after: time first, then id.';
