revoke all on content_reports from public, anon, authenticated, service_role, reelbase_api, reelbase_worker, reelbase_admin;
grant execute on function report_content(uuid, text) to authenticated;
grant execute on function list_content_reports(text, integer), close_content_report(bigint) to reelbase_admin;
-- What admins do: each of these checks first whether the caller is one.
grant execute on function admin_close_report(jsonb),
  admin_list_reports(jsonb) to authenticated;
