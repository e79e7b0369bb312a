create or replace function admin_list_consent_terms(p_request jsonb) returns jsonb
language plpgsql stable security definer set search_path = internal, public, pg_temp as $$
declare
  v_admin uuid := require_admin();
begin
  return jsonb_build_object('ai_state', (select i.ai_consent from installation i), 'ai_recipients', coalesce(get_consent_terms('ai_processing', 'en') -> 'recipients', '[]'), 'rows', (
    select coalesce(jsonb_agg(jsonb_build_object('kind', t.kind, 'version', t.version, 'texts', t.texts, 'recipients', to_jsonb(t.recipients),
      'published_at', to_json_time(t.published_at)) order by t.published_at desc, t.kind), '[]')
    from (select * from consent_terms order by published_at desc, kind limit 100) t));
end
$$;
comment on function admin_list_consent_terms(jsonb) is '{"ai_state","ai_recipients":[...],"rows":[...]}, the newest hundred. Raises ERR_4005, ERR_4006.';
