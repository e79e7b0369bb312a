-- Keeps one provider's queue: finds jobs that were committed behind the place from which their lane is read (their transaction took longer than that), and sets the marks
-- that positions are looked up by. A mark stands at every 32nd job up to some 1,600 and at each further 2 %. One at a time works, and a long queue
-- is marked no more often than costs a twentieth of a processor for each lane.
create or replace function internal.refresh_queue(p_provider text) returns void
language plpgsql security definer set search_path = internal, public, pg_temp as $$
declare
  v_lane text;
  v_old queue_marks;
  v_state queue_lanes;
  v_began timestamptz;
  v_key bigint;
  v_next bigint;
  v_rank integer;
  v_gap integer;
  v_keys bigint[];
  v_ranks integer[];
  v_rest integer;
begin
  if not pg_try_advisory_xact_lock(hashtextextended('reelbase:refresh_queue:' || p_provider, 0)) then
    return;
  end if;
  foreach v_lane in array array['premium', 'member', 'guest'] loop
    v_began := clock_timestamp();
    select * into v_old from queue_marks m where m.provider = p_provider and m.lane = v_lane;
    continue when v_old.marked_at > v_began - greatest(interval '0.8 seconds', make_interval(secs => v_old.took_micros * 20 / 1000000.0))
      and v_old.marked_at <= v_began;
    select * into v_state from queue_lanes l where l.provider = p_provider and l.lane = v_lane;
    update video_jobs j set queue_lane = v_lane || '_retry', queue_key = queue_retry_key(v_began)
    where j.job_id in (
      select s.job_id from video_jobs s
      where s.provider = p_provider and s.queue_lane = v_lane and s.stage = 'queued' and s.leased_by is null and s.queue_key < v_state.from_key
      order by s.queue_key limit 1000 for no key update skip locked);

    v_key := 0;
    v_rank := 0;
    v_keys := '{}';
    v_ranks := '{}';
    loop
      v_gap := greatest(32, v_rank / 50);
      select s.queue_key into v_next from video_jobs s
      where s.provider = p_provider and s.queue_lane = v_lane and s.stage = 'queued' and s.leased_by is null and s.queue_key >= v_key
      order by s.queue_key offset v_gap limit 1;
      exit when not found or v_next <= v_key;
      v_rank := v_rank + v_gap;
      v_key := v_next;
      v_keys := v_keys || v_key;
      v_ranks := v_ranks || v_rank;
    end loop;
    select count(*) into v_rest from (
      select from video_jobs s
      where s.provider = p_provider and s.queue_lane = v_lane and s.stage = 'queued' and s.leased_by is null and s.queue_key >= v_key limit v_gap + 1) r;
    -- Short queues are counted by whoever asks; nothing is written for them.
    continue when v_rank + v_rest < 256 and coalesce(v_old.waiting, 0) < 256;
    insert into queue_marks as m (provider, lane, keys, ranks, waiting, served, marked_at, took_micros)
    values (p_provider, v_lane, v_keys, v_ranks, v_rank + v_rest, coalesce(v_state.served, 0), v_began,
      least(extract(epoch from clock_timestamp() - v_began) * 1000000, 2000000)::integer)
    on conflict on constraint queue_marks_pkey do update set keys = excluded.keys, ranks = excluded.ranks, waiting = excluded.waiting,
      served = excluded.served, marked_at = excluded.marked_at, took_micros = excluded.took_micros;
  end loop;
end
$$;
comment on function internal.refresh_queue(text) is 'Finds jobs that were committed late and sets the marks of a provider''s queue.';
