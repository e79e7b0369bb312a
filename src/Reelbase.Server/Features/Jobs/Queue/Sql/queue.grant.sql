revoke all on queue_lanes, queue_marks from public, anon, authenticated, service_role, reelbase_api, reelbase_worker, reelbase_admin;
revoke all on sequence queue_ticket from public, anon, authenticated, service_role, reelbase_api, reelbase_worker, reelbase_admin;
grant execute on function refresh_queues(), read_queues(text[]) to reelbase_worker;
