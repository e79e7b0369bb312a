-- What is wrong with a setting, as details of an error; null when nothing is. A null value stands for removing it.
create or replace function internal.app_setting_fault(p_key text, p_value jsonb) returns jsonb
language plpgsql immutable set search_path = internal, public, pg_temp as $$
declare
  v_limit record;
begin
  if octet_length(p_key) > 64 or p_key !~ '^([a-z][a-z0-9_]*(\.[a-z][a-z0-9_]*)*|[A-Z][A-Za-z0-9]*:[A-Z][A-Za-z0-9]*)$' then
    return '{"reason":"not_a_key"}';
  elsif strpos(p_key, ':') > 0 then
    select * into v_limit from app_setting_limits() l where l.key = p_key;
    if not found then
      return '{"reason":"not_a_limit_that_can_be_changed"}';
    elsif jsonb_typeof(p_value) <> 'null' and (jsonb_typeof(p_value) <> 'number' or p_value::text !~ '^-?[0-9]{1,10}$') then
      return '{"reason":"not_a_whole_number"}';
    elsif jsonb_typeof(p_value) <> 'null' and p_value::bigint not between v_limit.min and v_limit.max then
      return jsonb_build_object('reason', 'out_of_range', 'min', v_limit.min, 'max', v_limit.max);
    end if;
  elsif octet_length(p_value::text) > 4096 then
    return '{"reason":"too_long","max_bytes":4096}';
  end if;
  return null;
end
$$;
comment on function internal.app_setting_fault(text, jsonb) is 'What is wrong with a setting; null when nothing is. Internal to the app settings.';
