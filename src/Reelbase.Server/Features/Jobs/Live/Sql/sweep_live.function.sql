-- What has changed of the rows that a node watches since it read them, whoever changed it and whether or not anybody notified.
create or replace function sweep_live(p_jobs uuid[], p_job_versions bigint[], p_users uuid[], p_user_versions bigint[], p_sessions uuid[])
returns table (kind text, id uuid)
language plpgsql stable security definer set search_path = internal, public, pg_temp as $$
#variable_conflict use_column
begin
  return query
  select 'job', k.id from unnest(p_jobs, p_job_versions) k(id, version) left join video_jobs j on j.job_id = k.id
  where j.xmin::text::bigint is distinct from k.version
  union all
  select 'user', k.id from unnest(p_users, p_user_versions) k(id, version) left join users u on u.id = k.id
  where u.xmin::text::bigint is distinct from k.version
  union all
  select 'session', k.id from unnest(p_sessions) k(id)
  where not exists (select from sessions s where s.id = k.id and s.revoked_at is null);
end
$$;
comment on function sweep_live(uuid[], bigint[], uuid[], bigint[], uuid[]) is 'The watched rows that changed and sessions that ended since; for the live hub.';
