-- Counts the hours and measures, once for all nodes: nothing while what is kept is younger than p_seconds, and never for more than a twentieth of the time of one core,
-- however much there is to count. A past that is still being taken in is not slowed down. Answers whether it did anything.
create or replace function keep_statistics(p_max_hours integer, p_seconds double precision) returns boolean
language plpgsql security definer set search_path = internal, public, pg_temp as $$
declare
  -- A round of pauses is a little shorter than it says, or every second one would find the kept values just young enough.
  c_tolerance constant double precision := 0.9;
  c_share constant double precision := 20;
  v_began timestamptz := clock_timestamp();
  v_until timestamptz;
begin
  if exists (select from statistics_progress p
    where p.kept_at > v_began - make_interval(secs => greatest(p_seconds * c_tolerance, p.kept_seconds * c_share)) and p.kept_at <= v_began) then
    return false;
  end if;
  v_until := count_hours(p_max_hours);
  if v_until is null then
    return false;
  end if;
  update statistics_progress set kept = (select coalesce(jsonb_agg(to_jsonb(m)), '[]') from measure_statistics() m);
  update statistics_progress set kept_at = clock_timestamp(),
    kept_seconds = case when v_until < now() then 0 else extract(epoch from clock_timestamp() - v_began) end;
  return true;
end
$$;
comment on function keep_statistics(integer, double precision) is 'Brings the hours and the values of the metrics up to date when they are old enough; answers whether it did.';
