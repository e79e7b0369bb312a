-- The versions of the rows that read_live is about to read. xmin changes with every update, whoever makes it, and costs no column and no trigger.
create or replace function list_live_versions(p_asks jsonb)
returns table (ask integer, kind text, id uuid, version bigint)
language plpgsql stable security definer set search_path = internal, public, pg_temp as $$
#variable_conflict use_column
begin
  return query
  with asks as (
    select (a.value ->> 'number')::integer as number, (a.value ->> 'user')::uuid as named, account_of((a.value ->> 'user')::uuid) as account,
      (a.value ->> 'newest')::integer as newest, a.value -> 'jobs' as jobs
    from jsonb_array_elements(p_asks) a)
  select a.number, 'job_version', j.job_id, j.xmin::text::bigint
  from asks a cross join lateral jsonb_array_elements_text(a.jobs) k join video_jobs j on j.job_id = k.value::uuid
  union all
  select a.number, 'job_version', n.job_id, n.version
  from asks a cross join lateral (
    select j.job_id, j.xmin::text::bigint as version from video_jobs j
    where j.user_id = a.account and j.deleted_at is null order by j.created_at desc limit a.newest) n
  union all
  select a.number, 'user_version', u.id, u.xmin::text::bigint
  from asks a join users u on u.id in (a.named, a.account);
end
$$;
comment on function list_live_versions(jsonb) is 'The versions of watched rows; for the live hub, which compares them in sweep_live.';
