create or replace function consent_rule() returns jsonb
language sql stable security definer set search_path = internal, public, pg_temp as $$
  select jsonb_build_object('state', coalesce(i.ai_consent, 'undecided'), 'is_required', coalesce(i.ai_consent = 'on', false), 'exempt_until', to_json_time(i.ai_consent_exempt_until),
    'version', t.terms ->> 'version', 'recipients', coalesce(t.terms -> 'recipients', '[]'),
    -- Of these nobody knows who runs them, so no text names them.
    'models_without_vendor', (select coalesce(jsonb_agg(m.name order by m.name), '[]') from models m join provider_states s on s.provider = m.provider and s.is_configured
      where m.is_available and (m.provider = 'fal' or m.provider_model_id like 'fal-ai/%') and model_vendor(m) is null))
  from installation i, lateral (select get_consent_terms('ai_processing', 'en') as terms) t
$$;
comment on function consent_rule() is
  '{"state":on|off|development|undecided,"is_required","exempt_until","version","recipients":[...],"models_without_vendor":[...]}: what holds for AI consent, for the start''s log and the doctor.';
