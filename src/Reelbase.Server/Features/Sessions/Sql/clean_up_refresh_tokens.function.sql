-- Old generations of the refresh tokens of the next p_limit sessions by id: those before the direct predecessor, which is always accepted,
-- once they are older than refresh_token_days. Until then one of them is known for stolen; later it is simply unknown.
create or replace function clean_up_refresh_tokens(p_after_session_id uuid, p_rules jsonb, p_limit integer, p_dry_run boolean)
returns table (last_session_id uuid, removed bigint)
language plpgsql security definer set search_path = internal, public, pg_temp as $$
#variable_conflict use_column
declare
  v_before timestamptz := clock_timestamp() - make_interval(days => coalesce(p_rules ->> 'refresh_token_days', '30')::integer);
  v_ids uuid[];
begin
  v_ids := array(select s.id from sessions s where s.id > coalesce(p_after_session_id, '00000000-0000-0000-0000-000000000000')
    order by s.id limit p_limit);
  if p_dry_run then
    select count(*) into removed from sessions s join refresh_tokens t on t.session_id = s.id
    where s.id = any (v_ids) and t.counter < s.refresh_counter - 1 and t.created_at < v_before;
  else
    delete from refresh_tokens t using sessions s
    where s.id = any (v_ids) and t.session_id = s.id and t.counter < s.refresh_counter - 1 and t.created_at < v_before;
    get diagnostics removed = row_count;
  end if;
  last_session_id := case when cardinality(v_ids) = p_limit then v_ids[p_limit] end;
  return next;
end
$$;
comment on function clean_up_refresh_tokens(uuid, jsonb, integer, boolean) is
  'Removes old generations of refresh tokens of the next sessions after an id; answers the last id (null: that was all) and how many.';
