-- What was done stays done: the record of admins cannot be changed by anybody, the owner included.
create or replace function internal.refuse_admin_action_change() returns trigger language plpgsql as $$
begin
  -- A model that is removed takes its own id out of the record; nothing else changes.
  if tg_op = 'UPDATE' and new.target_model_id is null and (to_jsonb(new) - 'target_model_id') = (to_jsonb(old) - 'target_model_id') then
    return new;
  end if;
  raise exception 'admin_actions is append-only';
end
$$;
comment on function internal.refuse_admin_action_change() is 'Refuses update, delete and truncate of admin_actions.';
drop trigger if exists admin_actions_append_only on admin_actions;
create trigger admin_actions_append_only before update or delete on admin_actions for each row execute function internal.refuse_admin_action_change();
drop trigger if exists admin_actions_no_truncate on admin_actions;
create trigger admin_actions_no_truncate before truncate on admin_actions for each statement execute function internal.refuse_admin_action_change();
