revoke all on schedules from public, anon, authenticated, service_role, reelbase_api, reelbase_worker, reelbase_admin;
grant execute on function claim_schedule(text, text, integer, timestamptz), finish_schedule(text, text, jsonb), check_books(integer) to reelbase_worker;
grant execute on function clean_up(text, jsonb, integer, boolean) to reelbase_worker, reelbase_admin;
