-- Fills in what each job took and gave back, from the ledger's rows of that job, a portion of jobs at a time. A job from a database from
-- before Reelbase whose charge names no job is taken at its own figure. Jobs that cannot keep the rule (failed and never refunded, or
-- refunded twice) are exempt from it and reported; nothing is refused and no ledger row is written.
do $$
declare
  c_portion constant integer := 20000;
  c_max_lines constant integer := 1000;
  v_imported timestamptz := (select max(imported_at) from quota_log);
  v_from uuid := '00000000-0000-0000-0000-000000000000';
  v_to uuid;
  v_count bigint;
begin
  loop
    select b.job_id into v_to from (select j.job_id from video_jobs j where j.job_id > v_from order by j.job_id limit c_portion) b
    order by b.job_id desc limit 1;
    exit when not found;
    with sums as (
      select q.job_id, coalesce(sum(-q.change) filter (where q.change < 0), 0)::integer as charged,
        coalesce(sum(q.change) filter (where q.change > 0), 0)::integer as returned,
        bool_or(q.reason = 'generation_failed_refund') as is_refunded
      from quota_log q where q.job_id > v_from and q.job_id <= v_to group by q.job_id),
    figures as (
      select j.job_id, j.status, coalesce(s.charged, 0) as ledger_charged, coalesce(s.returned, 0) as ledger_returned, coalesce(s.is_refunded, false) as is_refunded,
        case when s.charged > 0 then s.charged
          when j.created_at <= v_imported and not j.paid_by_house then greatest(j.credits_used, coalesce(s.returned, 0))
          else coalesce(s.returned, 0) end as charged
      from video_jobs j left join sums s on s.job_id = j.job_id
      where j.job_id > v_from and j.job_id <= v_to)
    update video_jobs j set credits_charged = f.charged, credits_returned = least(f.ledger_returned, f.charged),
      is_credits_exempt = f.ledger_charged <> f.charged or f.ledger_returned > f.charged
        or ((f.status = 'failed' or f.is_refunded) and f.ledger_returned < f.charged)
    from figures f where j.job_id = f.job_id and f.charged > 0;
    v_from := v_to;
  end loop;

  with found as (
    select j.job_id, j.credits_charged, j.credits_returned, j.status,
      (select coalesce(sum(q.change), 0) from quota_log q where q.job_id = j.job_id and q.change > 0) as ledger_returned
    from video_jobs j where j.is_credits_exempt),
  lines as (
    select format('job %s failed and its %s credits were never given back (%s of them were): nothing is done about it by itself', job_id, credits_charged, credits_returned) as line
    from found where status = 'failed' and credits_returned < credits_charged
    union all
    select format('job %s took %s credits and gave %s back: it was refunded more than once', job_id, credits_charged, ledger_returned)
    from found where ledger_returned > credits_charged)
  insert into reelbase.migration_report (line) select line from lines order by line limit c_max_lines;
  select count(*) into v_count from video_jobs where is_credits_exempt;
  if v_count > 0 then
    insert into reelbase.migration_report (line)
    values (format('%s jobs are exempt from the rule that a job gives back what it took; select job_id from video_jobs where is_credits_exempt lists them', v_count));
  end if;
end
$$;

alter table video_jobs validate constraint video_jobs_credits_check;
alter table video_jobs validate constraint video_jobs_failed_returned_check;
alter table video_jobs validate constraint video_jobs_paid_by_house_check;
alter table video_jobs validate constraint video_jobs_stalled_claims_check;
alter table video_jobs validate constraint video_jobs_retry_of_fkey;
