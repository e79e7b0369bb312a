revoke all on schedules, installation from public, anon, authenticated, service_role, reelbase_api, reelbase_worker, reelbase_admin;
grant execute on function claim_schedule(text, text, integer, timestamptz), get_schedule_run(text, text), renew_schedule(text, text, integer, jsonb),
  release_schedule(text, text, text), finish_schedule(text, text, jsonb) to reelbase_worker;
grant execute on function renew_work(text, text, text, integer), give_work_back(text, text, text, text), give_work_up(text, text, text, text)
  to reelbase_worker;
