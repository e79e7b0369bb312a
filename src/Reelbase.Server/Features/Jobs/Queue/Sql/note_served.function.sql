-- Notes what was handed out of a lane. Who claims next reads the lane from where it stood half a second to a second ago, so that what was stamped before
-- and committed after is still found; what is later than that is found by refresh_queue. p_moves: whether the lane is read from further on; not when some of it was passed over for good.
create or replace function internal.note_served(p_provider text, p_lane text, p_jobs integer, p_last_key bigint, p_moves boolean) returns void
language plpgsql security definer set search_path = internal, public, pg_temp as $$
begin
  insert into queue_lanes as l (provider, lane, served, served_key, next_key)
  values (p_provider, p_lane, p_jobs, p_last_key, case when p_moves then p_last_key else 0 end)
  on conflict on constraint queue_lanes_pkey do update set
    served = l.served + excluded.served,
    served_key = greatest(l.served_key, excluded.served_key),
    from_key = case when p_moves and l.rotated_at < clock_timestamp() - interval '0.5 seconds' then l.next_key else l.from_key end,
    next_key = case when p_moves and l.rotated_at < clock_timestamp() - interval '0.5 seconds' then greatest(l.served_key, excluded.served_key) else l.next_key end,
    rotated_at = case when p_moves and l.rotated_at < clock_timestamp() - interval '0.5 seconds' then clock_timestamp() else l.rotated_at end;
end
$$;
comment on function internal.note_served(text, text, integer, bigint, boolean) is 'Notes that p_jobs jobs up to p_last_key were handed out of a lane. Internal to claim_video_jobs.';
