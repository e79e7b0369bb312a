-- Keeps every provider's queue, whichever of them this node knows.
create or replace function refresh_queues() returns void
language plpgsql security definer set search_path = internal, public, pg_temp set plan_cache_mode = force_generic_plan set enable_seqscan = off set jit = off as $$
begin
  perform refresh_queue(p.name) from (select s.provider from provider_states s union select m.provider from models m) p (name);
end
$$;
comment on function refresh_queues() is 'Keeps the queues of all providers; called every second by each node.';
