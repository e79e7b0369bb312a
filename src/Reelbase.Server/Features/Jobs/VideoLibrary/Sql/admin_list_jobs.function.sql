-- Jobs, newest first, a page by the time and id of the last one; of a user, a status, a provider or an error code. Each filter has its own
-- index in this order, so that no list reads more than it shows; a second filter is applied to what the first one finds, over at most
-- 20,000 rows.
create or replace function admin_list_jobs(p_request jsonb) returns jsonb
language plpgsql stable security definer set search_path = internal, public, pg_temp as $$
declare
  v_admin uuid := require_admin();
  v_user uuid := read_admin_uuid(p_request, 'user_id', 'user', false);
  v_status text := read_admin_text(p_request, 'status', 20);
  v_provider text := read_admin_text(p_request, 'provider', 40);
  v_code text := read_admin_text(p_request, 'error_code', 20);
  v_limit integer := read_admin_integer(p_request, 'limit', 1, 100, 25);
  v_before uuid := read_admin_uuid(p_request, 'before', 'job', false);
  v_before_at timestamptz;
  v_condition text;
  v_rows jsonb;
begin
  if v_before is not null then
    select created_at into v_before_at from video_jobs where job_id = v_before;
  end if;
  if v_user is not null then
    select coalesce(merged_into, id) into v_user from users where id = v_user;
  end if;
  -- The first filter that is there is the one whose index is walked; every value travels as a parameter.
  v_condition := case
    when v_user is not null then 'j.user_id = $1'
    when v_code is not null then 'j.error_code = $4'
    when v_status = 'open' then $c$j.stage <> 'finished'$c$
    when v_status is not null then 'j.status = $2'
    when v_provider is not null then 'j.provider = $3'
    else 'true' end;
  execute format($q$
    select coalesce(jsonb_agg(describe_job(f) order by f.created_at desc, f.job_id desc), '[]') from (
      select r.* from (
        select j.* from video_jobs j
        where %s and ($5::timestamptz is null or (j.created_at, j.job_id) < ($5, $6))
        order by j.created_at desc, j.job_id desc limit %s) r
      where ($1::uuid is null or r.user_id = $1) and ($2::text is null or r.status = $2 or ($2 = 'open' and r.stage <> 'finished'))
        and ($3::text is null or r.provider = $3) and ($4::text is null or r.error_code = $4)
      order by r.created_at desc, r.job_id desc limit $7) f $q$,
    v_condition, case when num_nonnulls(v_user, v_status, v_provider, v_code) > 1 then 20000 else v_limit end)
  into v_rows using v_user, v_status, v_provider, v_code, v_before_at, v_before, v_limit;
  return jsonb_build_object('rows', v_rows, 'next_before', case when jsonb_array_length(v_rows) = v_limit then v_rows -> -1 ->> 'job_id' end);
end
$$;
comment on function admin_list_jobs(jsonb) is
  '{"rows":[...],"next_before":job id or null}. Raises ERR_4000, ERR_4005, ERR_4006, ERR_4007.';
