-- Whether a model's vendor takes a prompt, before anything is charged. The limit is data of the model
-- (required_fields: prompt_max_utf16); a model without one takes whatever the API takes.
create or replace function internal.require_prompt_fits(p_required_fields jsonb, p_prompt text) returns void language plpgsql immutable as $$
declare
  v_limit integer := (p_required_fields ->> 'prompt_max_utf16')::integer;
begin
  -- No text has more UTF-16 units than bytes, and counting those costs nothing.
  if octet_length(p_prompt) > v_limit and internal.utf16_length(p_prompt) > v_limit then
    perform raise_error('ERR_4003', jsonb_build_object('field', 'prompt', 'reason', 'too_long_for_model',
      'limit', v_limit, 'length', internal.utf16_length(p_prompt), 'unit', 'utf16'));
  end if;
end
$$;
comment on function internal.require_prompt_fits(jsonb, text) is 'Refuses a prompt that is too long for a model. Raises ERR_4003 (too_long_for_model).';
