-- Hands work to one worker: jobs whose next step is due, jobs past their deadline, and jobs from the queue while
-- their provider has room, is not paused and has budget left. A lease says who works on a row and until when; an expired
-- lease is simply claimed again, which is how the work of a dead worker is rescued. Every claim counts (stalled_claims) and moves run_after on, by
-- more each time, until something is recorded: a job that kills its workers holds nobody up, and its worker gives it up in the end.
-- p_providers: {"fal": {"concurrency": 2, "daily_budget_micros": 5000000 or null, "guest_budget_micros": 4000000 or null,
-- "room": {"submit": 16, "poll": 16, "fetch": 16, "settle": 16}}, "*": {"room": {"settle": 16}}}. The room is how many jobs of each kind of
-- work the worker has a free place for; "*" stands for providers that it does not know. Without a room, p_limit holds. reads_model_rows (under "*"): the node
-- writes requests as the model's row says.
drop function if exists claim_video_jobs(text, integer, integer, jsonb);
create function claim_video_jobs(
  p_leased_by text, p_lease_seconds integer, p_limit integer, p_providers jsonb)
returns table (
  job_id uuid, user_id uuid, stage text, attempt integer, fetch_attempt integer, provider text, provider_model_id text,
  prompt text, settings jsonb, image_url text, result_url text, created_at timestamptz, deadline_at timestamptz,
  is_past_deadline boolean, cancel_requested_at timestamptz, submission_id bigint, provider_job_id text,
  status_url text, submission_result_url text, cancel_url text, trace_parent text, stalled_claims integer, provider_input jsonb)
language plpgsql security definer set search_path = internal, public, pg_temp set plan_cache_mode = force_generic_plan set enable_seqscan = off set jit = off as $$
#variable_conflict use_column
declare
  -- A variable, so that each index is read up to now and not to its end.
  v_now timestamptz := clock_timestamp();
  v_provider text;
  v_rules jsonb;
  v_room integer;
  v_spent bigint;
  v_budget bigint;
  v_guest_budget bigint;
  v_next record;
  v_turns bigint;
  v_taken integer;
  v_is_free boolean;
  v_ids uuid[] := '{}';
  -- Beside v_ids: as which of all that its provider was handed each was handed out; null for other work.
  v_served_turns bigint[];
  v_lanes text[];
  v_keys bigint[];
  v_reads_rows boolean := coalesce((p_providers #>> '{*,reads_model_rows}')::boolean, false);
begin
  -- Each provider and kind of work has places of its own, so that what hangs in one holds up no other; as VideoJobWorker.KindOf says.
  for v_provider, v_rules in
    select p.name, case when p_providers ? p.name then p_providers -> p.name -> 'room' else p_providers -> '*' -> 'room' end
    from (select jsonb_object_keys(p_providers - '*') union select s.provider from provider_states s union select m.provider from models m) p (name)
  loop
    v_ids := v_ids || array(select j.job_id from video_jobs j
      where j.provider = v_provider and j.stage = 'submitted'
        and (j.run_after <= v_now or (j.deadline_at <= v_now and j.stalled_claims = 0))
        and (j.lease_until is null or j.lease_until < v_now)
      order by j.run_after limit coalesce((v_rules ->> case when p_providers ? v_provider then 'poll' else 'settle' end)::integer, p_limit)
      for no key update skip locked);
    v_ids := v_ids || array(select j.job_id from video_jobs j
      where j.provider = v_provider and j.stage = 'fetching' and j.run_after <= v_now and j.deadline_at > v_now
        and (j.lease_until is null or j.lease_until < v_now)
      order by j.run_after limit coalesce((v_rules ->> case when p_providers ? v_provider then 'fetch' else 'settle' end)::integer, p_limit)
      for no key update skip locked);
    v_ids := v_ids || array(select j.job_id from video_jobs j
      where j.provider = v_provider and j.stage in ('submitting', 'ambiguous') and j.run_after <= v_now
        and (j.lease_until is null or j.lease_until < v_now)
      order by j.run_after limit coalesce((v_rules ->> 'settle')::integer, p_limit) for no key update skip locked);
    -- Apart from the others, so that each reads the due ones of its index and no more.
    v_ids := v_ids || array(select j.job_id from video_jobs j
      where j.provider = v_provider and j.stage <> 'finished' and j.deadline_at <= v_now
        and j.stage in ('queued', 'fetching', 'submitting', 'ambiguous') and (j.stalled_claims = 0 or j.run_after <= v_now)
        and (j.lease_until is null or j.lease_until < v_now) and not j.job_id = any (v_ids)
      order by j.deadline_at limit coalesce((v_rules ->> 'settle')::integer, p_limit) for no key update skip locked);
  end loop;
  v_ids := v_ids[:p_limit];
  v_served_turns := array_fill(null::bigint, array[cardinality(v_ids)]);

  -- One claimer at a time hands out, so that two cannot both take a provider's last place.
  if not submissions_are_held() and pg_try_advisory_xact_lock(hashtextextended('reelbase:waiting_line', 0)) then
    for v_provider, v_rules in select * from jsonb_each(p_providers - '*') loop
      -- For the overview and for estimates, which know no node's configuration.
      update provider_states s set places = (v_rules ->> 'concurrency')::integer where s.provider = v_provider and s.places is distinct from (v_rules ->> 'concurrency')::integer;
      continue when exists (select from provider_states s where s.provider = v_provider and s.paused_until > v_now);
      select least((v_rules ->> 'concurrency')::integer - h.held, (v_rules -> 'room' ->> 'submit')::integer, p_limit - cardinality(v_ids)) into v_room
      from (select (select count(*) from video_jobs j where j.provider = v_provider and j.stage in ('submitting', 'ambiguous', 'submitted') and holds_place(j))
        + (select count(*) from video_jobs j where j.provider = v_provider and j.stage = 'queued' and j.leased_by is not null and j.lease_until >= v_now)
        as held) h;
      continue when v_room <= 0;
      v_budget := (v_rules ->> 'daily_budget_micros')::bigint;
      v_guest_budget := (v_rules ->> 'guest_budget_micros')::bigint;
      v_spent := case when v_budget is not null or v_guest_budget is not null then
        coalesce((select p.micros from provider_spend p
          where p.provider = v_provider and p.day = (v_now at time zone 'UTC')::date), 0)
        -- What is being handed over just now is not recorded yet.
        + coalesce((select sum(estimate_provider_cost(j.model_id, j.settings)) from video_jobs j
          where j.stage = 'queued' and j.provider = v_provider and j.leased_by is not null and j.lease_until >= v_now), 0)
        else 0 end;
      if v_spent >= v_budget then
        perform raise_alert('provider_budget', v_provider || ':' || (v_now at time zone 'UTC')::date,
          format('The daily budget of %s is used up; jobs wait until midnight UTC or their deadline.', v_provider));
        continue;
      end if;
      v_turns := coalesce((select s.turns from provider_states s where s.provider = v_provider), 0);
      v_taken := 0;
      v_lanes := '{}';
      v_keys := '{}';
      -- Some more than there is room for, since rows that somebody holds are passed over.
      -- compatibility: a node of the previous release passes over what it cannot write, and has to see further.
      for v_next in
        select * from next_in_queue(v_provider, case when v_reads_rows then v_room + 32 else greatest(v_room, 1000) end, v_spent < coalesce(v_guest_budget, v_spent + 1))
      loop
        -- Each place that is given away counts against the budget before the next one is.
        exit when v_taken >= v_room or v_spent >= v_budget;
        continue when v_next.lane like 'guest%' and v_spent >= v_guest_budget;
        -- compatibility: the previous release's nodes know how to write the requests of some families only; what others need waits for a node of this release.
        continue when not v_reads_rows and not (select fill_provider_input(m.provider, m.provider_model_id, m.required_fields) = m.provider_input
          from models m join video_jobs j on j.model_id = m.id where j.job_id = v_next.job_id);
        -- One that somebody holds is passed over and keeps its place. By its id alone, so that no plan takes another index.
        select j.stage = 'queued' and j.run_after <= v_now and j.deadline_at > v_now and (j.lease_until is null or j.lease_until < v_now) into v_is_free
        from video_jobs j where j.job_id = v_next.job_id for no key update skip locked;
        continue when not coalesce(v_is_free, false) or v_next.job_id = any (v_ids);
        v_taken := v_taken + 1;
        v_ids := v_ids || v_next.job_id;
        v_served_turns := v_served_turns || (v_turns + v_taken);
        if not v_next.is_retry then
          v_lanes := v_lanes || v_next.lane;
          v_keys := v_keys || v_next.queue_key;
        end if;
        continue when v_budget is null and v_guest_budget is null;
        v_spent := v_spent + (select estimate_provider_cost(j.model_id, j.settings) from video_jobs j where j.job_id = v_next.job_id);
      end loop;
      continue when v_taken = 0;
      insert into provider_states as s (provider, turns) values (v_provider, v_taken)
      on conflict (provider) do update set turns = s.turns + excluded.turns;
      -- compatibility: a node of the previous release has passed over others, which must not fall behind.
      perform note_served(v_provider, l.lane, l.jobs, l.last_key, v_reads_rows)
      from (select t.lane, count(*)::integer as jobs, max(t.queue_key) as last_key from unnest(v_lanes, v_keys) t (lane, queue_key) group by t.lane) l;
    end loop;
  end if;

  return query
  with claimed as (
    update video_jobs j set leased_by = p_leased_by, lease_until = clock_timestamp() + make_interval(secs => p_lease_seconds),
      stalled_claims = j.stalled_claims + 1, served_turn = coalesce(t.served_turn, j.served_turn),
      -- The first claim that is lost costs no more time than its lease.
      run_after = clock_timestamp() + make_interval(secs => p_lease_seconds * power(2, least(j.stalled_claims, 3)))
    from unnest(v_ids, v_served_turns) t (job_id, served_turn)
    where j.job_id = t.job_id
    returning j.*)
  select c.job_id, c.user_id, c.stage, c.attempt, c.fetch_attempt, c.provider, m.provider_model_id, c.prompt, c.settings,
    c.image_url, c.result_url, c.created_at, c.deadline_at, c.deadline_at <= clock_timestamp(), c.cancel_requested_at,
    s.id, s.provider_job_id, s.status_url, s.result_url, s.cancel_url, c.trace_parent, c.stalled_claims, m.provider_input
  from claimed c
  left join models m on m.id = c.model_id
  left join job_submissions s on s.job_id = c.job_id and s.attempt = c.attempt
  order by array_position(v_ids, c.job_id);
end
$$;
comment on function claim_video_jobs(text, integer, integer, jsonb) is
  'Leases up to p_limit due jobs to a worker for p_lease_seconds, minding each provider''s places, pauses, budget and queue.';
