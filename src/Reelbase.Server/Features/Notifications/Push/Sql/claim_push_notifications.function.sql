drop function if exists claim_push_notifications(text, integer, integer, integer);
create or replace function claim_push_notifications(p_leased_by text, p_lease_seconds integer, p_limit integer, p_max_attempts integer)
returns table (id uuid, job_id uuid, token text, environment text, kind text, event text, model_name text, created_at timestamptz, attempt integer,
  trace_parent text, language text, credits integer)
language sql security definer set search_path = internal, public, pg_temp as $$
  select n.id, n.job_id, n.token, n.environment, n.kind, n.event, n.model_name, n.created_at, n.attempt,
    (select j.trace_parent from video_jobs j where j.job_id = n.job_id), u.language, u.credits_remaining
  from claim_push_rows(p_leased_by, p_lease_seconds, p_limit, p_max_attempts, false) n join users u on u.id = n.user_id
$$;
comment on function claim_push_notifications(text, integer, integer, integer) is 'Leases pushes that are due to a worker, and gives up those that were tried too often.';

-- compatibility: the previous release's nodes call this; goes in the next release. They know pushes about jobs only.
create or replace function claim_push_notifications(p_leased_by text, p_lease_seconds integer, p_limit integer)
returns table (id uuid, job_id uuid, token text, environment text, kind text, event text, model_name text, created_at timestamptz, attempt integer,
  trace_parent text)
language sql security definer set search_path = internal, public, pg_temp as $$
  select n.id, n.job_id, n.token, n.environment, n.kind, n.event, n.model_name, n.created_at, n.attempt,
    (select j.trace_parent from video_jobs j where j.job_id = n.job_id)
  from claim_push_rows(p_leased_by, p_lease_seconds, p_limit, 30, true) n
$$;
comment on function claim_push_notifications(text, integer, integer) is 'Leases pushes about jobs that are due to a worker, and gives up those that were tried too often.';
