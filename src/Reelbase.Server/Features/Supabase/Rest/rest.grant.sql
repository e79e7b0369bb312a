grant execute on function read_rest_catalog(text[]), rest_catalog_version(text[]) to reelbase_api;
