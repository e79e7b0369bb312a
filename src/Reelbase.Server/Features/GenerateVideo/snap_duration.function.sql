-- The option nearest to a whole number of seconds from 1 to 60, the shorter one on a tie; JSON null for anything else.
create or replace function snap_duration(p_value jsonb, p_options jsonb) returns jsonb
language sql immutable as $$
  select coalesce((
    select o
    from jsonb_array_elements(coalesce(p_options, jsonb_build_array(p_value))) o
    where jsonb_typeof(p_value) = 'number'
      and p_value::numeric = trunc(p_value::numeric) and p_value::numeric between 1 and 60
    order by abs(o::numeric - p_value::numeric), o::numeric
    limit 1), 'null')
$$;
comment on function snap_duration(jsonb, jsonb) is 'Nearest option to a duration in seconds (1 to 60, whole), else JSON null.';
