-- The figures of each theme in a range, the most used first. Reads hours, never jobs.
create or replace function admin_theme_stats(p_request jsonb) returns jsonb
language plpgsql stable security definer set search_path = internal, public, pg_temp as $$
declare
  v_admin uuid := require_admin();
  v_hours integer := read_admin_integer(p_request, 'hours', 1, 8784, 24);
  v_from timestamptz := date_trunc('hour', now() - make_interval(hours => v_hours), 'UTC');
begin
  return jsonb_build_object('from', to_json_time(v_from), 'rows', (select coalesce(jsonb_agg(jsonb_build_object(
      'theme_id', s.theme_id, 'name', t.name, 'total_jobs', s.total, 'completed_jobs', s.completed, 'failed_jobs', s.failed,
      'success_rate', coalesce(round(s.completed::numeric * 100 / nullif(s.completed + s.failed, 0), 2), 0)::numeric(5, 2)::text,
      'credits_used', s.charged, 'credits_returned', s.returned) order by s.total desc, s.theme_id), '[]')
    from (select theme_id, sum(accepted)::bigint as total, sum(completed)::bigint as completed, sum(failed)::bigint as failed,
        sum(credits_charged)::bigint as charged, sum(credits_returned)::bigint as returned
      from theme_hours where hour >= v_from group by theme_id order by 2 desc, 1 limit 100) s
    left join themes t on t.id = s.theme_id));
end
$$;
comment on function admin_theme_stats(jsonb) is
  '{"from":time,"rows":[{"theme_id","name","total_jobs","completed_jobs","failed_jobs","success_rate","credits_used","credits_returned"}]}. Raises ERR_4000, ERR_4005, ERR_4006.';
