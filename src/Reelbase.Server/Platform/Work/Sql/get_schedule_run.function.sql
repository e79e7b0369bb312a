-- What a claimed run goes on from: how far the one before it came when it broke off within a day, and what was asked for.
create or replace function get_schedule_run(p_name text, p_leased_by text) returns table (progress jsonb, request jsonb)
language sql stable security definer set search_path = internal, public, pg_temp as $$
  select case when (s.progress ->> 'saved_at')::timestamptz > now() - interval '1 day' then s.progress end, s.request
  from schedules s where s.name = p_name and s.leased_by = p_leased_by
$$;
comment on function get_schedule_run(text, text) is 'Progress and request of a scheduled run that the caller has leased; no row when the lease is not theirs.';
