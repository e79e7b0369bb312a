create or replace function read_storage_check() returns table (finished_at timestamptz, report text)
language sql stable security definer set search_path = internal, public, pg_temp as $$
  select s.last_finished_at, s.report::text from schedules s where s.name = 'storage_check'
$$;
comment on function read_storage_check() is 'When the store was last compared with its rows, and what was found.';
