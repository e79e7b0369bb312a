create or replace function list_content_reports(p_status text, p_limit integer)
returns table (id bigint, job_id uuid, user_id uuid, reason text, status text, created_at timestamptz)
language sql stable security definer set search_path = internal, public, pg_temp as $$
  select r.id, r.job_id, r.user_id, r.reason, r.status, r.created_at from content_reports r
  where p_status is null or r.status = p_status order by r.id desc limit least(p_limit, 1000)
$$;
comment on function list_content_reports(text, integer) is 'Reported jobs, newest first; p_status open, closed or null for all.';
