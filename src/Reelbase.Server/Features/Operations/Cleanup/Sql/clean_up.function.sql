-- One batch of the cleanup; call it until it answers 0. What it does, by p_kind, is said in this folder's README; what a rule is not given
-- for is kept as long as the default says. Rows that somebody holds are passed over: nobody waits for the cleanup. p_dry_run counts all
-- that would go and changes nothing. (Old generations of refresh tokens have no index to be found by: clean_up_refresh_tokens walks them.)
create or replace function clean_up(p_kind text, p_rules jsonb, p_limit integer, p_dry_run boolean) returns bigint
language plpgsql security definer set search_path = internal, public, pg_temp as $$
declare
  v_days integer := coalesce(p_rules ->> case p_kind
    when 'videos' then 'video_days' when 'rate_limits' then 'rate_limit_days' when 'errors' then 'error_days'
    when 'alerts' then 'alert_days' when 'consents' then 'consent_days' when 'reports' then 'report_days'
    when 'sessions' then 'revoked_session_days' else 'payload_days' end,
    case p_kind when 'videos' then '0' when 'rate_limits' then '7' when 'alerts' then '90' when 'consents' then '365' when 'reports' then '365'
    when 'sessions' then '1' else '30' end)::integer;
  v_before timestamptz := clock_timestamp() - make_interval(days => v_days);
  v_count bigint := 0;
  v_more bigint;
  v_target record;
begin
  if p_kind = 'videos' then
    return clean_up_videos(v_days, p_limit, p_dry_run);
  elsif p_kind = 'uploads' then
    return clean_up_uploads(coalesce((p_rules ->> 'upload_days')::integer, 0), p_limit, p_dry_run);
  end if;
  if p_kind = 'storage_use' then
    return reconcile_storage_use(p_dry_run);
  end if;
  if p_kind = 'device_ids' then
    return hash_device_ids(p_limit, p_dry_run);
  end if;
  -- Which rows go; $1 is the moment before which they are old.
  for v_target in select t.name, t.which from (values
    ('idempotency', 'idempotency_log', 'expires_at < clock_timestamp()'),
    ('rate_limits', 'rate_limit_log', 'created_at < $1'),
    ('errors', 'error_log', 'created_at < $1'),
    -- The refresh tokens of a session go with it.
    ('sessions', 'sessions', 'revoked_at < $1'),
    ('sessions', 'sessions', 'user_id in (select u.id from users u where u.deleted_at is not null)'),
    -- No session of an admin lasts for a week, however they are set.
    ('sessions', 'sessions', 'method = ''admin'' and created_at < clock_timestamp() - interval ''8 days'''),
    -- That a device was denied is what keeps it from being asked about again.
    ('grants', 'device_grants', 'decided_at < $1 and (purpose <> ''grant'' or stage in (''rejected'', ''abandoned'') or (stage = ''granted''
      and exists (select from users u where u.id = device_grants.user_id and (u.initial_grant_claimed or u.merged_into is not null))))'),
    ('grants', 'device_questions', 'asked_at < clock_timestamp() - interval ''1 day'''),
    ('grants', 'temporary_guests', 'created_at < $1'),
    -- The last word of each user on each kind stays, whatever it was.
    ('consents', 'user_consents', 'withdrawn_at < $1 and exists (select from user_consents n
      where n.user_id = user_consents.user_id and n.kind = user_consents.kind and n.id > user_consents.id)'),
    ('alerts', 'alerts', 'finished_at < $1'),
    ('reports', 'content_reports', 'closed_at < $1'),
    ('payloads', 'admin_approvals', 'expires_at < $1'),
    ('payloads', 'push_notifications', 'finished_at < $1'),
    ('payloads', 'apple_authorizations', 'stage in (''revoked'', ''lost'') and updated_at < $1')) t (kind, name, which)
    where t.kind = p_kind
  loop
    if p_dry_run then
      execute format('select count(*) from %I where %s', v_target.name, v_target.which) into v_more using v_before;
    else
      execute format('delete from %1$I where ctid = any (array(select ctid from %1$I where %2$s limit $2 for update skip locked))',
        v_target.name, v_target.which) using v_before, p_limit;
      get diagnostics v_more = row_count;
    end if;
    v_count := v_count + v_more;
  end loop;
  if p_kind = 'payloads' then
    if p_dry_run then
      select count(*) into v_more from webhook_deliveries where payload is not null and status <> 'pending' and created_at < v_before;
    else
      update webhook_deliveries set payload = null where id in (
        select id from webhook_deliveries where payload is not null and status <> 'pending' and created_at < v_before
        limit p_limit for update skip locked);
      get diagnostics v_more = row_count;
    end if;
    v_count := v_count + v_more;
  elsif not found then
    raise exception 'nothing of the kind % is cleaned up', p_kind;
  end if;
  return v_count;
end
$$;
comment on function clean_up(text, jsonb, integer, boolean) is
  'Removes one batch of what is old enough (kinds: videos, uploads, device_ids, storage_use, idempotency, rate_limits, errors, sessions, grants, consents, alerts, reports, payloads); answers how many, 0 when done.';
