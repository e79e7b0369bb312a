revoke all on ledger_hours, job_hours, theme_hours, statistics_progress, model_margins, ledger_totals, job_totals from public, anon, authenticated, service_role, reelbase_api, reelbase_worker, reelbase_admin;
grant execute on function count_hours(integer), keep_statistics(integer, double precision), read_statistics() to reelbase_worker;
-- What admins do: each of these checks first whether the caller is one.
grant execute on function admin_overview(jsonb), admin_theme_stats(jsonb) to authenticated;
