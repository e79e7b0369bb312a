-- Videos that users have reported, with what support needs to review them.
create or replace function admin_list_reports(p_request jsonb) returns jsonb
language plpgsql stable security definer set search_path = internal, public, pg_temp as $$
declare
  v_admin uuid := require_admin();
  v_status text := coalesce(read_admin_text(p_request, 'status', 20), 'open');
  v_limit integer := read_admin_integer(p_request, 'limit', 1, 100, 25);
begin
  return jsonb_build_object('rows', (select coalesce(jsonb_agg(jsonb_build_object('id', r.id, 'user_id', r.user_id, 'reason', r.reason, 'status', r.status,
      'created_at', to_json_time(r.created_at), 'closed_at', to_json_time(r.closed_at), 'job', (select describe_job(j) from video_jobs j where j.job_id = r.job_id)) order by r.id desc), '[]')
    from (select * from content_reports where status = v_status order by id desc limit v_limit) r));
end
$$;
comment on function admin_list_reports(jsonb) is
  '{"rows":[...]}. Raises ERR_4000, ERR_4005, ERR_4006.';
