-- One list of an export: its newest p_max_rows rows before where the last page ended, oldest first, and where the next one begins when there are more.
create or replace function export_user_list(p_list text, p_before text, p_max_rows integer) returns jsonb
language plpgsql stable security definer set search_path = internal, public, pg_temp as $$
declare
  v_ids uuid[];
  -- Each names a key that orders its rows as text, newest last; and the row as it is shown.
  v_source text := case p_list
    when 'merged_accounts' then $q$
      select sort_key(u.created_at, u.id::text) as key,
        jsonb_build_object('id', u.id, 'device_id', null, 'created_at', to_json_time(u.created_at)) as shown
      from users u where u.merged_into = $4$q$
    when 'ledger' then $q$
      select lpad(q.seq::text, 19, '0') as key, with_json_times(to_jsonb(q), 'created_at') as shown
      from (select seq, change, reason, job_id, transaction_id, balance_after, created_at
        from quota_log where user_id = any ($1)) q$q$
    when 'videos' then $q$
      select sort_key(j.created_at, j.job_id::text) as key, with_json_times(to_jsonb(j), 'created_at', 'completed_at') as shown
      from (select job_id, model_name, prompt, settings, image_url, status, credits_used, error_code, video_url, thumbnail_url, created_at, completed_at
        from video_jobs where user_id = any ($1) and deleted_at is null) j$q$
    when 'files' then $q$
      select sort_key(o.stored_at, o.id::text) as key, with_json_times(to_jsonb(o) - 'id', 'stored_at') as shown
      -- A picture of theirs under the name that they gave it.
      from (select f.id, coalesce(u.bucket, f.bucket) as bucket, coalesce(u.folder::text || '/' || u.path, f.name) as name, f.size_bytes, f.content_type, f.stored_at
        from storage_objects f left join uploads u on u.object_id = f.id where f.user_id = any ($1) and f.state = 'stored') o$q$
    when 'purchases' then $q$
      select sort_key(p.purchased_at, p.environment || '/' || p.transaction_id) as key, with_json_times(to_jsonb(p), 'purchased_at', 'credited_at') as shown
      from (select environment, transaction_id, product_id, quantity, credits, price_milliunits, currency, credits_taken_back, purchased_at, credited_at
        from purchases where user_id = any ($1)) p$q$
    when 'consents' then $q$
      select sort_key(c.granted_at, lpad(c.id::text, 19, '0')) as key,
        jsonb_build_object('kind', c.kind, 'version', c.version, 'granted_at', to_json_time(c.granted_at), 'withdrawn_at', to_json_time(c.withdrawn_at), 'recipients', c.recipients) as shown
      from user_consents c where c.user_id = any ($1)$q$
    when 'devices' then $q$
      select sort_key(d.created_at, mask_device_id(d.device_id)) as key,
        jsonb_build_object('device_id', mask_device_id(d.device_id), 'bit0', d.bit0, 'bit1', d.bit1, 'last_query_at', to_json_time(d.last_query_at),
          'created_at', to_json_time(d.created_at)) as shown
      from device_checks d where d.user_id = any ($1)$q$
    when 'device_keys' then $q$
      select sort_key(k.created_at, encode(k.key_id, 'hex')) as key,
        jsonb_build_object('key_id', encode(k.key_id, 'base64'), 'app_id', k.app_id, 'environment', k.environment, 'created_at', to_json_time(k.created_at),
          'last_used_at', to_json_time(k.last_used_at)) as shown
      from device_keys k where k.user_id = any ($1)$q$
    when 'sessions' then $q$
      select sort_key(s.created_at, s.id::text) as key,
        jsonb_build_object('id', s.id, 'method', s.method, 'created_at', to_json_time(s.created_at), 'refreshed_at', to_json_time(s.refreshed_at),
          'revoked_at', to_json_time(s.revoked_at)) as shown
      from sessions s where s.user_id = any ($1)$q$
    when 'push_tokens' then $q$
      select sort_key(t.registered_at, t.token) as key,
        jsonb_build_object('token', t.token, 'environment', t.environment, 'kind', t.kind, 'registered_at', to_json_time(t.registered_at)) as shown
      from push_tokens t where t.user_id = any ($1)$q$
    when 'errors' then $q$
      select sort_key(e.created_at, lpad(e.id::text, 19, '0')) as key, with_json_times(to_jsonb(e) - 'id', 'created_at') as shown
      from (select id, error_code, endpoint, trace_id, created_at
        from error_log where user_id = any ($1)) e$q$
  end;
  v_me uuid := require_caller();
  v_result jsonb;
begin
  if v_source is null then
    perform raise_error('ERR_4000', '{"field":"list","reason":"unknown"}');
  end if;
  v_ids := my_user_ids();
  -- One row more is asked for than is shown: then there is a next page.
  execute format($q$
    with page as (
      select r.key, r.shown, row_number() over (order by r.key collate "C" desc) as place
      from (select s.key, s.shown from (%s) s where $2 is null or s.key collate "C" < $2 order by s.key collate "C" desc limit $3 + 1) r)
    select jsonb_build_object(
      'rows', coalesce(jsonb_agg(p.shown order by p.key collate "C") filter (where p.place <= $3), '[]'),
      'next', case when count(*) > $3 then min(p.key collate "C") filter (where p.place <= $3) end) from page p$q$, v_source)
  into v_result using v_ids, p_before, p_max_rows, v_me;
  return v_result;
end
$$;
comment on function export_user_list(text, text, integer) is
  'One page of one list of the caller''s export (rows, next). Raises ERR_4000 for a list that there is not, ERR_4005, ERR_4006.';
