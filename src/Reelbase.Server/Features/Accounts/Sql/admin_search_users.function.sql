-- Finds users by whatever a person writes to support: a user id, an e-mail or the beginning of one, an Apple transaction id, a job id, a
-- provider's job id, a whole device id (only its hash is stored), a trace id. Nothing to look for: the newest ones, a page by the time and id of the last.
create or replace function admin_search_users(p_request jsonb) returns jsonb
language plpgsql stable security definer set search_path = internal, public, pg_temp as $$
declare
  v_admin uuid := require_admin();
  v_q text := read_admin_text(p_request, 'q', 200);
  v_limit integer := read_admin_integer(p_request, 'limit', 1, 100, 25);
  v_before uuid := read_admin_uuid(p_request, 'before', 'user', false);
  v_before_at timestamptz;
  v_ids uuid[] := '{}';
  v_found_by text;
  v_rows jsonb;
begin
  if v_q is null then
    select created_at into v_before_at from users where id = v_before;
    select coalesce(jsonb_agg(r), '[]') into v_rows from (
      select describe_user(u) as r from users u
      where v_before_at is null or (u.created_at, u.id) < (v_before_at, v_before)
      order by u.created_at desc, u.id desc limit v_limit) page;
    return jsonb_build_object('rows', v_rows, 'found_by', null,
      'next_before', case when jsonb_array_length(v_rows) = v_limit then v_rows -> -1 ->> 'id' end);
  end if;
  if v_q ~* '^[0-9a-f]{8}-([0-9a-f]{4}-){3}[0-9a-f]{12}$' then
    select array[id], 'user id' into v_ids, v_found_by from users where id = v_q::uuid;
    if not found then
      select array[user_id], 'job id' into v_ids, v_found_by from video_jobs where job_id = v_q::uuid;
    end if;
    if cardinality(v_ids) is null then
      -- Some providers name their jobs like that too.
      select array_agg(user_id), 'provider job id' into v_ids, v_found_by from (
        select distinct user_id from video_jobs where provider_job_id = v_q limit v_limit) j;
    end if;
    if cardinality(v_ids) is null then
      select array_agg(d.user_id), 'device id' into v_ids, v_found_by from device_checks d
      where (d.device_id = device_id_hash(v_q) or (d.device_id = v_q and v_q !~ '^sha256:')) and d.user_id is not null;
    end if;
  elsif v_q like '%@%' then
    select array_agg(id), 'e-mail' into v_ids, v_found_by from (
      select id from users where normalize_email(email) like replace(replace(replace(normalize_email(v_q), '\', '\\'), '%', '\%'), '_', '\_') || '%' limit v_limit) m;
  else
    select array_agg(user_id), 'transaction id' into v_ids, v_found_by from (
      select user_id from purchases where transaction_id = v_q and user_id is not null
      union select user_id from quota_log where transaction_id = v_q limit v_limit) t;
    if cardinality(v_ids) is null then
      select array_agg(user_id), 'provider job id' into v_ids, v_found_by from (
        select distinct user_id from video_jobs where provider_job_id = v_q limit v_limit) j;
    end if;
    if cardinality(v_ids) is null then
      select array_agg(d.user_id), 'device id' into v_ids, v_found_by from device_checks d
      where (d.device_id = device_id_hash(v_q) or (d.device_id = v_q and v_q !~ '^sha256:')) and d.user_id is not null;
    end if;
    if cardinality(v_ids) is null and v_q ~* '^[0-9a-f]{32}$' then
      select array_agg(user_id), 'trace id' into v_ids, v_found_by from (
        select user_id from video_jobs where substr(trace_parent, 4, 32) = lower(v_q)
        union select user_id from error_log where trace_id = lower(v_q) and user_id is not null limit v_limit) e;
    end if;
  end if;
  select coalesce(jsonb_agg(describe_user(u) order by u.created_at desc), '[]') into v_rows from users u where u.id = any (coalesce(v_ids, '{}'));
  return jsonb_build_object('rows', v_rows, 'found_by', case when v_rows <> '[]' then v_found_by end, 'next_before', null);
end
$$;
comment on function admin_search_users(jsonb) is
  '{"rows":[...],"found_by":text or null,"next_before":id or null}. Raises ERR_4000, ERR_4005, ERR_4006, ERR_4007.';
