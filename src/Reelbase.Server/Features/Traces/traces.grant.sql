grant execute on function find_trace(text) to reelbase_admin;
