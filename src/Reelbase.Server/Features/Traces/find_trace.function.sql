-- Everything that happened in one trace, or to one job, in the order of time: the errors that were answered, the jobs that were accepted,
-- their charges and refunds, each submission, webhook, file and push. For support: what the user wrote is not in it.
-- p_id: the 32 hexadecimal digits of a trace id, or the id of a job.
create or replace function find_trace(p_id text) returns table (at timestamptz, what text, user_id uuid, detail text)
language sql stable security definer set search_path = public, pg_temp as $$
  with jobs as (
    select j.* from video_jobs j where substr(j.trace_parent, 4, 32) = lower(p_id)
    union
    select j.* from video_jobs j 
    -- As an id and not as a text, or no index would help.
    where j.job_id = (case when p_id ~* '^[0-9a-f]{8}-([0-9a-f]{4}-){3}[0-9a-f]{12}$' then p_id::uuid end)
    union
    select j.* from webhook_deliveries d join video_jobs j on j.job_id = d.job_id where substr(d.trace_parent, 4, 32) = lower(p_id)
  ), events as (
    select e.created_at, 'error answered', e.user_id, concat_ws(' ', e.error_code, e.endpoint, e.error_details::text)
    from error_log e where e.trace_id = any (array(select lower(p_id) union select substr(j.trace_parent, 4, 32) from jobs j))
    union all
    select j.created_at, 'job accepted', j.user_id, format('%s, model %s, provider %s, %s credits, trace %s', j.job_id, j.model_name, j.provider,
      j.credits_used, coalesce(substr(j.trace_parent, 4, 32), 'unknown')) from jobs j
    union all
    select q.created_at, 'ledger', q.user_id, format('%s %s, balance %s', q.reason, q.change, q.balance_after)
    from quota_log q join jobs j on j.job_id = q.job_id
    union all
    select s.created_at, 'submission ' || s.attempt, s.user_id, concat_ws(' ', s.provider, coalesce(s.provider_job_id, '(no id)'), s.outcome,
      case when s.answered_at is not null then format('(answered after %s s)', round(extract(epoch from s.answered_at - s.created_at)::numeric, 2)) end, s.detail)
    from job_submissions s join jobs j on j.job_id = s.job_id
    union all
    select d.created_at, 'webhook', d.user_id, concat_ws(' ', d.provider, d.event_type, d.status, d.last_error)
    from webhook_deliveries d join jobs j on j.job_id = d.job_id
    union all
    select o.created_at, 'file', o.user_id, concat_ws(' ', o.bucket, o.state, o.size_bytes || ' bytes') from storage_objects o join jobs j on j.job_id = o.job_id
    union all
    select n.created_at, 'push', n.user_id, concat_ws(' ', n.event, n.status, n.last_error) from push_notifications n join jobs j on j.job_id = n.job_id
    union all
    select j.completed_at, 'job ' || j.status, j.user_id, concat_ws(' ', j.error_code, j.error_message) from jobs j where j.completed_at is not null
    union all
    select j.deleted_at, 'job deleted', j.user_id, '' from jobs j where j.deleted_at is not null)
  select * from events order by 1 limit 1000
$$;
comment on function find_trace(text) is 'What happened in a trace or to a job, oldest first: time, kind, user and a line for support.';
