grant execute on function read_rest_catalog(text[]), rest_catalog_version(text[]) to reelbase_api;
grant execute on function charge_rest_list(jsonb, bigint) to anon, authenticated, service_role;
