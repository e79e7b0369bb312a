grant execute on function sign_up_guest(inet, integer, integer, jsonb), get_user_metadata(uuid) to reelbase_api;
grant execute on function read_auth_user(), update_auth_user(jsonb) to authenticated;
