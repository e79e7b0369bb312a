-- Publishes a version of a text, which holds from now on. p_request: kind, version, texts ({"en": ..., "tr": ..., "es": ...}), recipients, reason.
create or replace function admin_publish_consent_terms(p_request jsonb) returns jsonb
language plpgsql security definer set search_path = internal, public, pg_temp as $$
declare
  v_admin uuid := require_operator();
  v_kind text := read_admin_text(p_request, 'kind', 20, true);
  v_version text := read_admin_text(p_request, 'version', 50, true);
  v_texts jsonb := p_request -> 'texts';
  v_recipients jsonb := coalesce(p_request -> 'recipients', '[]');
begin
  if v_kind not in ('terms', 'ai_processing', 'consumption_data') then
    perform raise_error('ERR_4000', '{"field":"kind","reason":"terms_ai_processing_or_consumption_data"}');
  elsif jsonb_typeof(v_texts) is distinct from 'object' or jsonb_typeof(v_texts -> 'en') is distinct from 'string' or v_texts - array['en', 'tr', 'es'] <> '{}'
      or exists (select from jsonb_each(v_texts) t where jsonb_typeof(t.value) <> 'string' or char_length(t.value #>> '{}') not between 1 and 20000) then
    perform raise_error('ERR_4000', '{"field":"texts","reason":"texts_by_language_with_en"}');
  elsif jsonb_typeof(v_recipients) <> 'array' or jsonb_array_length(v_recipients) > 50
      or exists (select from jsonb_array_elements(v_recipients) r where jsonb_typeof(r) <> 'string' or char_length(r #>> '{}') not between 1 and 100) then
    perform raise_error('ERR_4000', '{"field":"recipients","reason":"at_most_50_names"}');
  end if;
  insert into consent_terms (kind, version, texts, recipients, published_by)
  values (v_kind, v_version, v_texts, array(select jsonb_array_elements_text(v_recipients)), v_admin)
  on conflict on constraint consent_terms_pkey do nothing;
  if not found then
    perform raise_error('ERR_4012', '{"reason":"version_exists"}');
  end if;
  perform write_admin_action(v_admin, 'consent_terms_publish', p_request, null, null, v_kind || ' ' || v_version);
  return '{"success":true}';
end
$$;
comment on function admin_publish_consent_terms(jsonb) is '{"success":true}. Raises ERR_4000, ERR_4005, ERR_4006, ERR_4012.';
