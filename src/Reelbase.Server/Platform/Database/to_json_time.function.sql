-- The one form of a time in JSON, as shipped clients parse it: UTC, three fraction digits, Z. What is no moment (infinity) is null.
create or replace function to_json_time(p_time timestamptz) returns text
language sql stable parallel safe set search_path = public, pg_temp as $$
  select case when isfinite(p_time) then to_char(p_time at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') end
$$;
comment on function to_json_time(timestamptz) is 'The time as 2026-01-02T03:04:05.678Z; null for null and for infinity.';
