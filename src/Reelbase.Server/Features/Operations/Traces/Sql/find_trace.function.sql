-- Everything that happened in one trace, or to one job, in the order of time: the errors that were answered, the jobs that were accepted,
-- their charges and refunds, each submission, webhook, file and push. For support: what the user wrote is not in it.
-- p_id: the 32 hexadecimal digits of a trace id, or the id of a job.
-- The jobs are found first and everything else by their ids: joined in one statement, PostgreSQL expects a share of all jobs and reads whole tables.
create or replace function find_trace(p_id text) returns table (at timestamptz, what text, user_id uuid, detail text)
language plpgsql stable security definer set search_path = internal, public, pg_temp as $$
#variable_conflict use_column
declare
  v_ids uuid[];
  v_traces text[];
begin
  if p_id ~* '^[0-9a-f]{8}-([0-9a-f]{4}-){3}[0-9a-f]{12}$' then
    v_ids := array[p_id::uuid];
  else
    v_ids := array(
      select j.job_id from video_jobs j where substr(j.trace_parent, 4, 32) = lower(p_id)
      union
      select d.job_id from webhook_deliveries d where substr(d.trace_parent, 4, 32) = lower(p_id) and d.job_id is not null);
  end if;
  v_traces := array(select lower(p_id) union select substr(j.trace_parent, 4, 32) from video_jobs j where j.job_id = any (v_ids));
  return query
  select events.* from (
    select e.created_at, 'error answered', e.user_id, concat_ws(' ', e.error_code, e.endpoint, e.error_details::text)
    from error_log e where e.trace_id = any (v_traces)
    union all
    select j.created_at, 'job accepted', j.user_id, format('%s, model %s, provider %s, %s credits, trace %s', j.job_id, j.model_name, j.provider,
      j.credits_used, coalesce(substr(j.trace_parent, 4, 32), 'unknown')) from video_jobs j where j.job_id = any (v_ids)
    union all
    select q.created_at, 'ledger', q.user_id, format('%s %s, balance %s', q.reason, q.change, q.balance_after)
    from quota_log q where q.job_id = any (v_ids)
    union all
    select s.created_at, 'submission ' || s.attempt, s.user_id, concat_ws(' ', s.provider, coalesce(s.provider_job_id, '(no id)'), s.outcome,
      case when s.answered_at is not null then format('(answered after %s s)', round(extract(epoch from s.answered_at - s.created_at)::numeric, 2)) end, s.detail)
    from job_submissions s where s.job_id = any (v_ids)
    union all
    select d.created_at, 'webhook', d.user_id, concat_ws(' ', d.provider, d.event_type, d.status, d.last_error)
    from webhook_deliveries d where d.job_id = any (v_ids)
    union all
    select o.created_at, 'file', o.user_id, concat_ws(' ', o.bucket, o.state, o.size_bytes || ' bytes') from storage_objects o where o.job_id = any (v_ids)
    union all
    select n.created_at, 'push', n.user_id, concat_ws(' ', n.event, n.status, n.last_error) from push_notifications n where n.job_id = any (v_ids)
    union all
    select j.completed_at, 'job ' || j.status, j.user_id, concat_ws(' ', j.error_code, j.error_message)
    from video_jobs j where j.job_id = any (v_ids) and j.completed_at is not null
    union all
    select j.deleted_at, 'job deleted', j.user_id, '' from video_jobs j where j.job_id = any (v_ids) and j.deleted_at is not null) events
  order by 1 limit 1000;
end
$$;
comment on function find_trace(text) is 'What happened in a trace or to a job, oldest first: time, kind, user and a line for support.';
