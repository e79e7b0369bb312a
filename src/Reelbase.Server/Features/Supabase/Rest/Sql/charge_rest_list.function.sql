-- What the lists of one request over REST may weigh together while they are made: lists inside lists multiply long before there is an answer
-- to measure. Counted for each transaction; sets a setting of it, so no parallel worker may run it.
create or replace function charge_rest_list(p_list jsonb, p_max_bytes bigint) returns jsonb
language plpgsql volatile strict parallel unsafe set search_path = pg_catalog, pg_temp as $$
declare
  v_bytes bigint := coalesce(nullif(current_setting('reelbase.rest_list_bytes', true), '')::bigint, 0) + pg_column_size(p_list);
begin
  if v_bytes > p_max_bytes then
    raise exception 'embedded lists of more than % bytes', p_max_bytes using errcode = 'RB003';
  end if;
  perform set_config('reelbase.rest_list_bytes', v_bytes::text, true);
  return p_list;
end
$$;
comment on function charge_rest_list(jsonb, bigint) is
  'Answers an embedded list and ends the statement when the lists of its transaction weigh more than p_max_bytes together (RB003).';
