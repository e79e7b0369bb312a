-- What came in, newest first, without payloads; of one status, one inbox or both. A page by id.
create or replace function admin_list_deliveries(p_request jsonb) returns jsonb
language plpgsql stable security definer set search_path = internal, public, pg_temp as $$
declare
  v_admin uuid := require_admin();
  v_status text := read_admin_text(p_request, 'status', 20);
  v_inbox text := read_admin_text(p_request, 'inbox', 20);
  v_limit integer := read_admin_integer(p_request, 'limit', 1, 100, 25);
  v_before bigint := read_admin_integer(p_request, 'before', 0, 9000000000000000, 9000000000000000);
  v_rows jsonb;
begin
  -- A status walks its own index; an inbox is looked for among at most 20,000 rows.
  execute format($q$
    select coalesce(jsonb_agg(jsonb_build_object('id', d.id, 'inbox', d.inbox, 'provider', d.provider, 'event_id', d.event_id, 'event_type', d.event_type,
      'status', d.status, 'retry_count', d.retry_count, 'last_error', d.last_error, 'job_id', d.job_id, 'user_id', d.user_id,
      'has_payload', d.payload is not null, 'can_resend', d.payload is not null and (d.submission_id is not null or d.inbox <> 'provider'),
      'created_at', to_json_time(d.created_at), 'processed_at', to_json_time(d.processed_at)) order by d.id desc), '[]')
    from (select r.* from (select * from webhook_deliveries w where w.id < $1 and %s order by w.id desc limit %s) r
      where $3::text is null or r.inbox = $3 order by r.id desc limit $4) d $q$,
    case when v_status is null then 'true' else 'w.status = $2' end, case when v_inbox is null then v_limit else 20000 end)
  into v_rows using v_before, v_status, v_inbox, v_limit;
  return jsonb_build_object('rows', v_rows, 'next_before', case when jsonb_array_length(v_rows) = v_limit then (v_rows -> -1 ->> 'id')::bigint end);
end
$$;
comment on function admin_list_deliveries(jsonb) is
  '{"rows":[...],"next_before":id or null}. Raises ERR_4000, ERR_4005, ERR_4006.';
