-- Of the staged rows: the users who are not here yet, their jobs, and their ledger in its order with present reasons. A second charge or refund of a job,
-- and a refund beyond its charge, keep their credits and lose only the link; so does a row whose job is not the user's.
create or replace function internal.import_stage() returns void
language plpgsql set search_path = internal, public, pg_temp set timezone = 'UTC' as $$
begin
  insert into import_users
  select distinct on (import_uuid(r.o ->> 'id')) import_uuid(r.o ->> 'id'), r.o from import_rows r
  where r.kind = 'users' and import_uuid(r.o ->> 'id') is not null and not exists (select from users u where u.id = import_uuid(r.o ->> 'id'));
  insert into import_jobs
  select distinct on (import_uuid(coalesce(r.o ->> 'job_id', r.o ->> 'id'))) import_uuid(coalesce(r.o ->> 'job_id', r.o ->> 'id')), u.id, r.o
  from import_rows r join import_users u on u.id = import_uuid(r.o ->> 'user_id')
  where r.kind = 'video_jobs' and import_uuid(coalesce(r.o ->> 'job_id', r.o ->> 'id')) is not null
    and not exists (select from video_jobs j where j.job_id = import_uuid(coalesce(r.o ->> 'job_id', r.o ->> 'id')));

  insert into import_ledger
  with plain as (
    select r.o, coalesce(import_uuid(r.o ->> 'id'), left(encode(sha256(convert_to('quota_log ' || (r.o ->> 'id'), 'UTF8')), 'hex'), 32)::uuid) as id, u.id as user_id, j.job_id, import_integer(r.o ->> 'change') as change,
      coalesce(import_moment(r.o ->> 'created_at'), import_moment(u.o ->> 'created_at'), now()) as created_at,
      case when r.o ->> 'reason' in ('generation', 'video_generation') then 'video_generation'
        when r.o ->> 'reason' in ('purchase', 'iap_purchase') then 'iap_purchase'
        when r.o ->> 'reason' in ('refund', 'generation_refund', 'generation_failed_refund') then 'generation_failed_refund'
        when r.o ->> 'reason' like 'admin_refund%' then 'admin_refund'
        when r.o ->> 'reason' in ('initial_grant', 'apple_refund', 'apple_refund_reversed', 'admin_adjustment') then r.o ->> 'reason'
        else 'admin_adjustment' end as mapped
    from import_rows r join import_users u on u.id = import_uuid(r.o ->> 'user_id')
    left join import_jobs j on j.job_id = import_uuid(r.o ->> 'job_id') and j.user_id = u.id
    where r.kind = 'quota_log' and coalesce(import_integer(r.o ->> 'change'), 0) <> 0),
  signed as (
    select p.*, case when mapped in ('video_generation', 'apple_refund') and change > 0 then 'admin_adjustment'
        when mapped in ('generation_failed_refund', 'initial_grant', 'iap_purchase', 'apple_refund_reversed') and change < 0 then 'admin_adjustment'
        else mapped end as reason
    from plain p),
  numbered as (
    select s.*, row_number() over (partition by user_id order by created_at, id) as place,
      job_id is not null and (reason not in ('video_generation', 'generation_failed_refund')
        or row_number() over (partition by job_id, reason order by created_at, id) = 1) as may_link
    from signed s),
  bounded as (
    select n.*, may_link and (change < 0 or coalesce(sum(-change) filter (where may_link and change < 0) over (partition by job_id), 0) = 0
      or sum(change) filter (where may_link and change > 0) over (partition by job_id order by created_at, id)
        <= sum(-change) filter (where may_link and change < 0) over (partition by job_id)) as is_linked
    from numbered n),
  running as (
    select b.*, max(abs(total)) over (partition by user_id) as farthest
    from (select b.*, sum(change::bigint) over (partition by user_id order by place) as total from bounded b) b)
  -- What was carried before the source has changed keeps its id and its transaction; a row that came to another user since is another row.
  select case when exists (select from quota_log q where q.id = r.id) then gen_random_uuid() else id end, user_id, place, case when is_linked then job_id end, change, reason, created_at,
    case when exists (select from quota_log q where q.transaction_id = t.numbered) then (o ->> 'transaction_id') || ':duplicate:' || id else t.numbered end,
    nullif(concat_ws('; ',
      case when o ->> 'reason' like 'admin_refund:%' then trim(substr(o ->> 'reason', 14))
        when reason is distinct from o ->> 'reason' then 'was: ' || coalesce(o ->> 'reason', 'no reason') end,
      case when o ->> 'job_id' is not null and not is_linked then 'job: ' || (o ->> 'job_id') end), '')
  -- A ledger that leaves the range of a balance on its way cannot be written row by row: its user has the balance, by one correction.
  from running r
  cross join lateral (select case when coalesce(import_integer(o ->> '_transaction_number'), 1) = 1 then nullif(o ->> 'transaction_id', '')
    else (o ->> 'transaction_id') || ':duplicate:' || (import_integer(o ->> '_transaction_number') - 1) end as numbered) t
  where farthest <= 2147483647;
  analyze import_users, import_jobs, import_ledger;
end
$$;
comment on function internal.import_stage() is 'Prepares the staged rows of a batch. For the import, which runs as the owner.';
