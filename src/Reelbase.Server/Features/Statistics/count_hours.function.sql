-- Counts the hours since the last time, and the last ones before that once more, because a transaction that began earlier may have been
-- committed since. One caller at a time; at most p_max_hours of a long past, so that an old database is taken in step by step.
-- Answers the hour that was reached; null when somebody else is at it.
create or replace function count_hours(p_max_hours integer) returns timestamptz
language plpgsql security definer set search_path = public, pg_temp as $$
declare
  -- Longer than any transaction may last.
  c_settled constant interval := '10 minutes';
  v_from timestamptz;
  v_until timestamptz;
begin
  if not pg_try_advisory_xact_lock(hashtextextended('reelbase:count_hours', 0)) then
    return null;
  end if;
  select counted_until into v_from from statistics_progress;
  if not found then
    select least((select min(created_at) from video_jobs), (select min(created_at) from quota_log), now()) into v_from;
    insert into statistics_progress (counted_until) values (v_from);
  end if;
  v_from := date_trunc('hour', v_from - c_settled, 'UTC');
  v_until := least(now(), v_from + make_interval(hours => p_max_hours));

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
  update statistics_progress set counted_until = v_until;
  return v_until;
end
$$;
comment on function count_hours(integer) is 'Brings ledger_hours and job_hours up to date; the hour reached, or null when another node is doing it.';
