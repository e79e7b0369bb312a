grant execute on function check_books(integer) to reelbase_worker;
grant execute on function clean_up(text, jsonb, integer, boolean), clean_up_refresh_tokens(uuid, jsonb, integer, boolean) to reelbase_worker, reelbase_admin;
