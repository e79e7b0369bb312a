-- How far a lane's tier has been served: the pass of the job that was handed out last.
create or replace function internal.queue_pass(p_provider text, p_lane text) returns bigint language plpgsql stable set search_path = internal, public, pg_temp as $$
begin
  if p_lane = 'premium' then
    return coalesce((select l.served_key >> 26 from queue_lanes l where l.provider = p_provider and l.lane = 'premium'), 0);
  end if;
  return coalesce((select max(l.served_key) >> 26 from queue_lanes l where l.provider = p_provider and l.lane in ('member', 'guest')), 0);
end
$$;
comment on function internal.queue_pass(text, text) is 'The pass that a lane''s tier is at. Internal to the queue.';
