grant execute on function find_trace(text) to reelbase_admin;
-- What admins do: each of these checks first whether the caller is one.
grant execute on function admin_get_trace(jsonb),
  admin_group_errors(jsonb),
  admin_list_errors(jsonb) to authenticated;
