-- Counts the hours since the last time, and the last ones before that once more, because a transaction that began earlier may have been
-- committed since. One caller at a time; at most p_max_hours of a long past, so that an old database is taken in step by step.
-- Answers the hour that was reached; null when somebody else is at it.
create or replace function count_hours(p_max_hours integer) returns timestamptz
language plpgsql security definer set search_path = internal, public, pg_temp as $$
declare
  -- Longer than any transaction may last.
  c_settled constant interval := '10 minutes';
  v_from timestamptz;
  v_until timestamptz;
  v_folded timestamptz;
begin
  if not pg_try_advisory_xact_lock(hashtextextended('reelbase:count_hours', 0)) then
    return null;
  end if;
  select counted_until, folded_until into v_from, v_folded from statistics_progress;
  if not found then
    select least((select min(created_at) from video_jobs), (select min(created_at) from quota_log), now()) into v_from;
    insert into statistics_progress (counted_until) values (v_from);
  end if;
  v_from := date_trunc('hour', v_from - c_settled, 'UTC');
  v_until := least(now(), v_from + make_interval(hours => p_max_hours));

  -- What is not counted again goes into the totals. They begin anew when the count does, and when the clock was set back behind them.
  if v_folded is null or v_folded > v_from then
    delete from ledger_totals;
    delete from job_totals;
    v_folded := '-infinity';
  end if;
  if v_folded < v_from then
    insert into ledger_totals (reason, credits)
    select reason, sum(credits) from ledger_hours where hour >= v_folded and hour < v_from group by 1
    on conflict (reason) do update set credits = ledger_totals.credits + excluded.credits;
    insert into job_totals (provider, model_name, result, error_code, jobs)
    select provider, model_name, result, error_code, sum(jobs) from job_hours where hour >= v_folded and hour < v_from group by 1, 2, 3, 4
    on conflict (provider, model_name, result, error_code) do update set jobs = job_totals.jobs + excluded.jobs;
  end if;

  delete from ledger_hours where hour >= v_from and hour < v_until;
  insert into ledger_hours (hour, reason, credits, entries)
  select date_trunc('hour', created_at, 'UTC'), reason, sum(change), count(*)
  from quota_log where created_at >= v_from and created_at < v_until group by 1, 2;

  delete from job_hours where hour >= v_from and hour < v_until;
  insert into job_hours (hour, provider, model_name, result, jobs)
  select date_trunc('hour', created_at, 'UTC'), provider, coalesce(model_name, ''), 'accepted', count(*)
  from video_jobs where created_at >= v_from and created_at < v_until group by 1, 2, 3;
  insert into job_hours (hour, provider, model_name, result, error_code, jobs, seconds)
  select date_trunc('hour', completed_at, 'UTC'), provider, coalesce(model_name, ''), status, coalesce(error_code, ''), count(*),
    coalesce(sum(extract(epoch from completed_at - created_at)), 0)
  from video_jobs where completed_at >= v_from and completed_at < v_until and status in ('completed', 'failed') group by 1, 2, 3, 4, 5;

  -- Credits by the time of their ledger row, so that what comes back later is counted when it came back.
  delete from theme_hours where hour >= v_from and hour < v_until;
  insert into theme_hours (hour, theme_id, accepted, completed, failed, credits_charged, credits_returned)
  select e.hour, e.theme_id, sum(e.accepted), sum(e.completed), sum(e.failed), sum(e.charged), sum(e.returned) from (
    select date_trunc('hour', created_at, 'UTC') as hour, theme_id, count(*) as accepted, 0 as completed, 0 as failed, 0 as charged, 0 as returned
    from video_jobs where created_at >= v_from and created_at < v_until and theme_id is not null group by 1, 2
    union all
    select date_trunc('hour', completed_at, 'UTC'), theme_id, 0, count(*) filter (where status = 'completed'), count(*) filter (where status = 'failed'), 0, 0
    from video_jobs where completed_at >= v_from and completed_at < v_until and status in ('completed', 'failed') and theme_id is not null group by 1, 2
    union all
    select date_trunc('hour', q.created_at, 'UTC'), j.theme_id, 0, 0, 0, coalesce(-sum(q.change) filter (where q.change < 0), 0),
      coalesce(sum(q.change) filter (where q.change > 0), 0)
    from quota_log q join video_jobs j on j.job_id = q.job_id
    where q.created_at >= v_from and q.created_at < v_until and j.theme_id is not null group by 1, 2) e
  group by 1, 2;
  update statistics_progress set counted_until = v_until, folded_until = v_from;
  return v_until;
end
$$;
comment on function count_hours(integer) is 'Brings ledger_hours, job_hours, theme_hours and the totals of what is counted no more up to date; the hour reached, or null when another node is doing it.';
