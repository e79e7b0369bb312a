-- The option nearest to a whole number of seconds from 1 to 60, the shorter one on a tie; JSON null for anything else.
create or replace function internal.snap_duration(p_value jsonb, p_options jsonb) returns jsonb
language plpgsql immutable as $$
declare
  v_seconds numeric;
begin
  if jsonb_typeof(p_value) is distinct from 'number' then
    return 'null';
  end if;
  v_seconds := p_value::numeric;
  if v_seconds <> trunc(v_seconds) or v_seconds not between 1 and 60 then
    return 'null';
  end if;
  -- Nearly every app asks for one of them.
  if p_options @> p_value then
    return to_jsonb(v_seconds::integer);
  end if;
  return coalesce((
    select o from jsonb_array_elements(coalesce(p_options, jsonb_build_array(p_value))) o
    order by abs(o::numeric - v_seconds), o::numeric
    limit 1), 'null');
end
$$;
comment on function internal.snap_duration(jsonb, jsonb) is 'Nearest option to a duration in seconds (1 to 60, whole), else JSON null.';
