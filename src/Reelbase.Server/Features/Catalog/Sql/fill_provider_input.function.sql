-- How the requests of well-known endpoints are written, for rows that came without saying it: from before there was a provider_input, from an import, by a node
-- of the previous release. '{}' for any other, which its adapter writes in its own plain way.
create or replace function internal.fill_provider_input(p_provider text, p_model_id text, p_required_fields jsonb) returns jsonb
language plpgsql immutable set search_path = internal, public, pg_temp as $$
declare
  c_wide constant jsonb := '{"16:9":"1280:720","9:16":"720:1280","4:3":"1104:832","3:4":"832:1104","1:1":"960:960","21:9":"1584:672"}';
  v_settings jsonb := case when jsonb_typeof(p_required_fields -> 'settings') = 'object' then p_required_fields -> 'settings' else '{}' end;
  v_is_image boolean := coalesce(p_required_fields ->> 'requires_image', 'false') = 'true' or p_model_id like '%image-to-video%';
  v_input jsonb := '{}';
  v_key text;
begin
  if p_provider in ('fal', 'pika') and p_model_id ~ '^fal-ai/(veo3\.1|sora-2|pika|kling-video)(/|$)' then
    for v_key in select jsonb_object_keys(v_settings) loop
      v_input := v_input || jsonb_build_object(v_key, case v_key
        when 'duration' then case
          when p_model_id ~ '^fal-ai/veo3\.1(/|$)' then '{"field":"duration","type":"digits","suffix":"s"}'
          when p_model_id ~ '^fal-ai/pika/' and p_model_id !~ '/v2\.2/' then '{"field":"duration","type":"integer"}'
          else '{"field":"duration","type":"digits"}' end::jsonb
        when 'audio' then '{"field":"generate_audio","type":"boolean"}'::jsonb
        else jsonb_build_object('field', v_key) end);
    end loop;
    v_input := jsonb_build_object('settings', v_input);
    if v_is_image then
      v_input := v_input || jsonb_build_object('picture', jsonb_build_object('field',
        case when p_model_id ~ '^fal-ai/kling-video/' and p_model_id !~ '/turbo/' then 'start_image_url' else 'image_url' end));
    end if;
  elsif p_provider = 'runway' and p_model_id ~ '^(gen4|veo3)' then
    for v_key in select jsonb_object_keys(v_settings - array['aspect_ratio', 'resolution']) loop
      v_input := v_input || jsonb_build_object(v_key, case v_key
        when 'duration' then '{"field":"duration","type":"integer"}'::jsonb
        when 'audio' then '{"field":"audio","type":"boolean"}'::jsonb
        when 'seed' then '{"field":"seed","type":"integer"}'::jsonb
        when 'negative_prompt' then '{"field":"negativePrompt","type":"text"}'::jsonb
        else jsonb_build_object('field', v_key) end);
    end loop;
    v_input := jsonb_build_object('settings', v_input, 'picture', '{"field":"promptImage","as":"first_frame"}'::jsonb,
      'combined', jsonb_build_array(jsonb_build_object('field', 'ratio', 'settings', '["aspect_ratio","resolution"]'::jsonb, 'default', '1280:720',
        'values', c_wide || '{"16:9|1080p":"1920:1080","9:16|1080p":"1080:1920"}')));
    if p_model_id ~ '^veo3' and not v_settings ? 'audio' then
      -- Sound costs more and has no documented default, so the choice is always said.
      v_input := v_input || '{"always":{"audio":false}}';
    end if;
  end if;
  return case when v_input = '{}' or provider_input_fault(v_input, p_required_fields) is not null then '{}' else v_input end;
end
$$;
comment on function internal.fill_provider_input(text, text, jsonb) is 'The provider_input of a well-known endpoint, or {}; for rows that do not say theirs.';
