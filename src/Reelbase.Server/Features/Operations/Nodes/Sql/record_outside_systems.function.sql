-- p_heard: [{system, success_at, failure_at, failure}]; of several nodes the latest word stays.
create or replace function record_outside_systems(p_heard jsonb) returns void
language sql security definer set search_path = internal, public, pg_temp as $$
  insert into outside_systems as o (system, last_success_at, last_failure_at, last_failure)
  select h.system, h.success_at, h.failure_at, left(h.failure, 300)
  from jsonb_to_recordset(p_heard) as h (system text, success_at timestamptz, failure_at timestamptz, failure text)
  order by h.system
  on conflict on constraint outside_systems_pkey do update set
    last_success_at = greatest(o.last_success_at, excluded.last_success_at),
    last_failure = case when excluded.last_failure_at > coalesce(o.last_failure_at, '-infinity') then excluded.last_failure else o.last_failure end,
    last_failure_at = greatest(o.last_failure_at, excluded.last_failure_at)
$$;
comment on function record_outside_systems(jsonb) is
  'Keeps when each outside system last answered well and last failed, and in which words.';
