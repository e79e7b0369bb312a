-- How long a claimed row rests at least when nothing comes of the claim: doubles from five seconds up to an hour.
create or replace function internal.work_pause(p_attempt integer) returns interval
language sql immutable set search_path = internal, public, pg_temp as $$
  select make_interval(secs => least(3600, 5 * power(2, least(greatest(p_attempt, 1), 20) - 1)))
$$;
comment on function internal.work_pause(integer) is 'The pause after a claim without a result, by attempts so far.';
