-- The text of a kind that holds now, in a language or in English, with who gets data: the configured providers, who stands behind their models, and whom the text names.
create or replace function get_consent_terms(p_kind text, p_language text) returns jsonb
language plpgsql stable security definer set search_path = internal, public, pg_temp as $$
begin
  return (
    select jsonb_build_object('kind', t.kind, 'version', t.version, 'recipients', to_jsonb(r.names),
      'text', replace(coalesce(t.texts ->> p_language, t.texts ->> 'en'), '{recipients}', array_to_string(r.names, ', ')))
    from consent_terms t, lateral (select consent_recipients(t.kind, t.recipients) as names) r
    where t.kind = p_kind
    order by t.published_at desc limit 1);
end
$$;
comment on function get_consent_terms(text, text) is '{"kind","version","recipients":[...],"text"} of the terms that hold now; null when none are published.';
