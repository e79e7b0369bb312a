-- What has happened since the last time, in numbers and in one alert, when p_every_seconds have passed and there is anything to say: new
-- users, purchases, videos, errors of ours, and attempts without permission when they are many. Numbers only, so that it names nobody.
drop function if exists raise_activity(integer, integer);
create or replace function raise_activity(p_every_seconds integer, p_many_unauthorized integer, p_many_limited integer) returns boolean
language plpgsql security definer set search_path = internal, public, pg_temp as $$
declare
  v_since timestamptz;
  v_now timestamptz := clock_timestamp();
  v_text text;
  v_unauthorized bigint;
  v_limited record;
begin
  insert into schedules (name, last_finished_at) values ('activity', v_now) on conflict do nothing;
  update schedules s set last_finished_at = v_now
  from (select last_finished_at from schedules where name = 'activity' for no key update) o
  where s.name = 'activity' and o.last_finished_at <= v_now - make_interval(secs => p_every_seconds)
  returning o.last_finished_at into v_since;
  if not found then
    return false;
  end if;
  select concat_ws(', ',
    (select count(*) || ' new users' from users where created_at > v_since having count(*) > 0),
    (select count(*) || ' purchases (' || sum(credits) || ' credits)' from purchases
      where credited_at > v_since and environment = 'Production' having count(*) > 0),
    (select count(*) || ' videos completed' from video_jobs where completed_at > v_since and status = 'completed' having count(*) > 0),
    (select count(*) || ' videos failed' from video_jobs where completed_at > v_since and status = 'failed' having count(*) > 0),
    (select sum(occurrences) || ' errors of ours (' || string_agg(distinct error_code, ' ') || ')' from error_log
      where created_at > v_since and error_code like 'ERR_6%' having count(*) > 0)) into v_text;
  select coalesce(sum(occurrences), 0) into v_unauthorized from error_log where created_at > v_since and error_code in ('ERR_4005', 'ERR_4006');
  if v_unauthorized >= p_many_unauthorized then
    perform raise_alert('unauthorized_attempts', v_now::text,
      format('%s requests without permission since %s UTC.', v_unauthorized, to_char(v_since at time zone 'UTC', 'YYYY-MM-DD HH24:MI')));
  end if;
  select coalesce(sum(occurrences), 0) as requests, count(distinct user_id) as users, string_agg(distinct endpoint, ' ') as endpoints into v_limited
  from error_log where created_at > v_since and error_code = 'ERR_4004';
  if v_limited.requests >= p_many_limited then
    perform raise_alert('rate_limit_violations', v_now::text, format('%s requests over a limit since %s UTC, by %s known users, at %s.',
      v_limited.requests, to_char(v_since at time zone 'UTC', 'YYYY-MM-DD HH24:MI'), v_limited.users, coalesce(v_limited.endpoints, 'the gate')));
  end if;
  if v_text = '' then
    return false;
  end if;
  perform raise_alert('activity', v_now::text, format('Since %s UTC: %s.', to_char(v_since at time zone 'UTC', 'YYYY-MM-DD HH24:MI'), v_text));
  return true;
end
$$;
comment on function raise_activity(integer, integer, integer) is 'Raises one alert with the numbers of what has happened since the last one; true when it did.';
