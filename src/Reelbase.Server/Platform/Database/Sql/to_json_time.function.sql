-- The one form of a time in JSON, as shipped clients parse it: UTC, three fraction digits, Z. What is no moment (infinity) is null.
-- With a search path of its own it could not become part of the statements that call it, and would be planned once for each time in each answer.
create or replace function to_json_time(p_time timestamptz) returns text
language sql stable parallel safe as $$
  select case when pg_catalog.isfinite(p_time) then pg_catalog.to_char(pg_catalog.timezone('UTC', p_time), 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') end
$$;
comment on function to_json_time(timestamptz) is 'The time as 2026-01-02T03:04:05.678Z; null for null and for infinity.';
