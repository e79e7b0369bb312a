-- What a model would be after a change, which is not made: the same fields as admin_save_model takes. The server adds the provider's request.
create or replace function admin_preview_model(p_request jsonb) returns jsonb
language plpgsql stable security definer set search_path = internal, public, pg_temp as $$
declare
  v_admin uuid := require_admin();
  v_id uuid := read_admin_uuid(p_request, 'model_id', 'model', false);
  v_old models;
begin
  if v_id is not null then
    select * into v_old from models where id = v_id;
    if not found then
      perform raise_error('ERR_4007', '{"what":"model"}');
    end if;
  end if;
  return describe_model(merge_model(v_old, p_request - array['model_id', 'reason']));
exception
  when sqlstate 'RB001' then raise;
  when integrity_constraint_violation or data_exception or invalid_parameter_value or cannot_coerce or datatype_mismatch then
    perform raise_error('ERR_4000', '{"field":"model","reason":"does_not_fit_together"}');
end
$$;
comment on function admin_preview_model(jsonb) is
  '{"fault","app","settings","prices","provider_request"...} of a change that is not made. Raises ERR_4000, ERR_4005, ERR_4006, ERR_4007.';
