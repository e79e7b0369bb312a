-- How many jobs a user had and how they ended. Internal.
create or replace function internal.count_user_jobs(p_user_id uuid) returns jsonb
language sql stable security definer set search_path = internal, public, pg_temp as $$
  select jsonb_build_object('total_jobs', count(*), 'completed_jobs', count(*) filter (where status = 'completed'),
    'failed_jobs', count(*) filter (where status = 'failed'),
    'success_rate', to_char(coalesce(100.0 * count(*) filter (where status = 'completed')
      / nullif(count(*) filter (where status in ('completed', 'failed')), 0), 0), 'FM990.00'))
  from video_jobs where user_id = p_user_id
$$;
comment on function internal.count_user_jobs(uuid) is
  'total_jobs, completed_jobs, failed_jobs and success_rate (of those that ended, percent as text with two decimals: "50.00"). Internal.';
