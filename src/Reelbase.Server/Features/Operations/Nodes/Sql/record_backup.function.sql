create or replace function record_backup() returns void
language sql security definer set search_path = internal, public, pg_temp as $$
  update installation set backed_up_at = clock_timestamp()
$$;
comment on function record_backup() is
  'Notes that the command line has made a backup of the private PostgreSQL.';
