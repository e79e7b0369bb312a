-- A model's request is checked where the row is written, whoever writes it: a row that could not be sent would fail every press.
create or replace function internal.check_model_input() returns trigger language plpgsql set search_path = internal, public, pg_temp as $$
declare
  v_fault text;
begin
  -- What was filled in follows the row; what somebody wrote stays theirs.
  if new.provider_input = '{}' or (tg_op = 'UPDATE' and new.provider_input = old.provider_input
      and old.provider_input = fill_provider_input(old.provider, old.provider_model_id, old.required_fields)) then
    new.provider_input := fill_provider_input(new.provider, new.provider_model_id, new.required_fields);
  end if;
  v_fault := surcharges_fault(new.required_fields);
  if v_fault is null and new.provider_input <> '{}' then
    v_fault := provider_input_fault(new.provider_input, new.required_fields);
  end if;
  if v_fault is not null then
    raise exception '%', v_fault using errcode = 'check_violation', constraint = 'models_input', table = 'models';
  end if;
  return new;
end
$$;
comment on function internal.check_model_input() is 'Fills in and checks provider_input and the surcharges of combinations. For a trigger.';
drop trigger if exists models_check_input on models;
create trigger models_check_input before insert or update of provider, provider_model_id, required_fields, provider_input on models
  for each row execute function internal.check_model_input();
