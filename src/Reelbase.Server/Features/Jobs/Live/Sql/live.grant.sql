grant execute on function read_live(jsonb), read_live_statuses(uuid[], uuid[], uuid[]), list_live_versions(jsonb), sweep_live(uuid[], bigint[], uuid[], bigint[], uuid[]),
  list_live_places(uuid[]), list_live_columns() to reelbase_api;
grant execute on function find_ended_sessions(uuid[]), to_json_time(timestamptz) to authenticated;
