-- The record of an action, in the transaction of the action itself: there is neither without the other.
create or replace function internal.write_admin_action(p_admin_id uuid, p_action_type text, p_request jsonb, p_target_user_id uuid default null, p_target_model_id uuid default null, p_target_id text default null, p_amount integer default null, p_details jsonb default null) returns void
language plpgsql security definer set search_path = internal, public, pg_temp as $$
declare
  v_reason text := read_admin_text(p_request, 'reason', 500, true);
begin
  if char_length(v_reason) < 3 then
    perform raise_error('ERR_4000', '{"field":"reason","reason":"too_short","min_characters":3}');
  end if;
  insert into admin_actions (admin_user_id, action_type, target_user_id, target_model_id, target_id, amount, reason, details)
  values (p_admin_id, p_action_type, p_target_user_id, p_target_model_id, p_target_id, p_amount, v_reason, coalesce(p_details, '{}'));
end
$$;
comment on function internal.write_admin_action(uuid, text, jsonb, uuid, uuid, text, integer, jsonb) is
  'Writes the audit row of an action; raises ERR_4000 without a reason. Internal to the admin functions.';
