-- Switches a model on or off; the app sees it with its next get-models.
create or replace function admin_toggle_model(p_request jsonb) returns jsonb
language plpgsql security definer set search_path = internal, public, pg_temp as $$
declare
  v_admin uuid := require_admin();
  v_id uuid := read_admin_uuid(p_request, 'model_id', 'model');
  v_is_available boolean;
  v_model models;
begin
  if jsonb_typeof(p_request -> 'is_available') is distinct from 'boolean' then
    perform raise_error('ERR_4000', '{"field":"is_available","reason":"required"}');
  end if;
  v_is_available := (p_request ->> 'is_available')::boolean;
  select * into v_model from models where id = v_id for no key update;
  if not found then
    perform raise_error('ERR_4007', '{"what":"model"}');
  end if;
  if v_model.is_available is distinct from v_is_available then
    perform write_admin_action(v_admin, case when v_is_available then 'model_enable' else 'model_disable' end, p_request, null, v_id);
    update models set is_available = v_is_available where id = v_id;
  else
    perform read_admin_text(p_request, 'reason', 500, true);
  end if;
  return jsonb_build_object('success', true);
end
$$;
comment on function admin_toggle_model(jsonb) is
  '{"success":true}. Raises ERR_4000, ERR_4005, ERR_4006, ERR_4007.';
