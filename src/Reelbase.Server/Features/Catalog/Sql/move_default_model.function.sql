-- Lets the model that a row names take its place as the active one, once: the row forgets it in the same transaction, so that an operator who goes back stays
-- there. It waits until the other is on offer. Answers the name of the new active model, or null.
create or replace function move_default_model() returns text
language plpgsql security definer set search_path = internal, public, pg_temp as $$
declare
  v_old models;
  v_new models;
begin
  if not exists (select from models where default_moves_to is not null) then
    return null;
  end if;
  select * into v_old from models where default_moves_to is not null and is_active for no key update;
  if not found then
    -- Somebody has chosen another default meanwhile.
    update models set default_moves_to = null where default_moves_to is not null;
    return null;
  end if;
  select * into v_new from models where id = v_old.default_moves_to for no key update;
  if v_new.id is null or not model_is_offered(v_new.is_available, v_new.provider_model_id, v_new.sunset_at) or not provider_is_offered(v_new.provider) then
    return null;
  end if;
  update models set is_active = false, default_moves_to = null where id = v_old.id;
  update models set is_active = true where id = v_new.id;
  perform raise_alert('model_default', v_new.id::text,
    format('%s is the active model now, in place of %s: requests that name only a theme use it.', v_new.name, v_old.name));
  return v_new.name;
end
$$;
comment on function move_default_model() is 'Makes the model active that the active one names as its successor, once; its name, or null when there is nothing to move.';
