create or replace function list_reconciliations()
returns table (environment text, covered_until timestamptz, started_at timestamptz, finished_at timestamptz, report jsonb)
language sql stable security definer set search_path = internal, public, pg_temp as $$
  select r.environment, nullif(r.covered_until, '-infinity'), r.started_at, r.finished_at, r.report from reconciliations r order by 1
$$;
comment on function list_reconciliations() is 'What the last reconciliations with the App Store came to.';
