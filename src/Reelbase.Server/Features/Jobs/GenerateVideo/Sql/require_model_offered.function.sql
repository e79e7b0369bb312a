-- Whether a video may be made with a model now: it is available, it has not ended, and its provider is offered.
create or replace function internal.require_model_offered(p_model models, p_asked_id text) returns void
language plpgsql stable security definer set search_path = internal, public, pg_temp as $$
begin
  if p_model.id is null or not model_is_offered(p_model.is_available, p_model.provider_model_id, p_model.sunset_at)
    or not provider_is_offered(p_model.provider) then
    perform raise_error('ERR_4002', jsonb_strip_nulls(jsonb_build_object('model_id', p_asked_id)));
  end if;
end
$$;
comment on function internal.require_model_offered(models, text) is 'Raises ERR_4002 when a model is not on offer now. Internal to the definer functions.';
