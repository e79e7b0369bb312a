-- Hands work to one worker: jobs whose next step is due, jobs past their deadline, and jobs from the waiting line while
-- their provider has room. A lease says who works on a row and until when; an expired lease is simply claimed again,
-- which is how the work of a dead worker is rescued. p_concurrency: {"fal": 2}, how many jobs a provider takes at once.
create or replace function claim_video_jobs(
  p_leased_by text, p_lease_seconds integer, p_limit integer, p_concurrency jsonb)
returns table (
  job_id uuid, user_id uuid, stage text, attempt integer, fetch_attempt integer, provider text, provider_model_id text,
  prompt text, settings jsonb, image_url text, result_url text, created_at timestamptz, deadline_at timestamptz,
  is_past_deadline boolean, cancel_requested_at timestamptz, submission_id bigint, provider_job_id text,
  status_url text, submission_result_url text, cancel_url text)
language plpgsql security definer set search_path = public, pg_temp as $$
#variable_conflict use_column
declare
  v_ids uuid[];
  v_more uuid[];
  v_provider text;
  v_room integer;
begin
  select array_agg(d.job_id) into v_ids from (
    select j.job_id from video_jobs j
    where j.stage <> 'finished' and (j.lease_until is null or j.lease_until < clock_timestamp())
      and ((j.stage <> 'queued' and j.run_after <= clock_timestamp()) or j.deadline_at <= clock_timestamp())
    order by j.run_after limit p_limit for no key update skip locked) d;
  v_ids := coalesce(v_ids, '{}');

  -- One claimer at a time walks the line, so that two cannot both take a provider's last place.
  if pg_try_advisory_xact_lock(hashtextextended('reelbase:waiting_line', 0)) then
    for v_provider in select jsonb_object_keys(p_concurrency) loop
      select least((p_concurrency ->> v_provider)::integer - count(*), p_limit - cardinality(v_ids)) into v_room
      from video_jobs j
      where j.provider = v_provider and (j.stage in ('submitting', 'ambiguous', 'submitted')
        or (j.stage = 'queued' and j.lease_until >= clock_timestamp()));
      if v_room > 0 then
        select array_agg(d.job_id) into v_more from (
          select j.job_id from video_jobs j
          where j.stage = 'queued' and j.provider = v_provider and j.run_after <= clock_timestamp()
            and j.deadline_at > clock_timestamp() and (j.lease_until is null or j.lease_until < clock_timestamp())
          order by j.created_at limit v_room for no key update skip locked) d;
        v_ids := v_ids || coalesce(v_more, '{}');
      end if;
    end loop;
  end if;

  return query
  with claimed as (
    update video_jobs j set leased_by = p_leased_by, lease_until = clock_timestamp() + make_interval(secs => p_lease_seconds)
    where j.job_id = any (v_ids)
    returning j.*)
  select c.job_id, c.user_id, c.stage, c.attempt, c.fetch_attempt, c.provider, m.provider_model_id, c.prompt, c.settings,
    c.image_url, c.result_url, c.created_at, c.deadline_at, c.deadline_at <= clock_timestamp(), c.cancel_requested_at,
    s.id, s.provider_job_id, s.status_url, s.result_url, s.cancel_url
  from claimed c
  left join models m on m.id = c.model_id
  left join job_submissions s on s.job_id = c.job_id and s.attempt = c.attempt
  order by c.created_at;
end
$$;
comment on function claim_video_jobs(text, integer, integer, jsonb) is
  'Leases up to p_limit due jobs to a worker for p_lease_seconds, minding each provider''s concurrency.';
