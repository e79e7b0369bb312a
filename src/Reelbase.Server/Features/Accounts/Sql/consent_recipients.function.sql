-- Who gets what users send: the configured providers, and who stands behind the models that can be chosen there; for other kinds of consent whom the text names.
create or replace function internal.consent_recipients(p_kind text, p_named text[]) returns text[]
language plpgsql stable security definer set search_path = internal, public, pg_temp as $$
begin
  return (
    select coalesce(array_agg(distinct n.name order by n.name), '{}') from (
      select coalesce(s.display_name, initcap(s.provider)) as name from provider_states s where p_kind = 'ai_processing' and s.is_configured
      union select r.name from models m join provider_states s on s.provider = m.provider and s.is_configured, unnest(model_recipients(m)) r (name)
        where p_kind = 'ai_processing' and m.is_available
      union select unnest(p_named)) n);
end
$$;
comment on function internal.consent_recipients(text, text[]) is 'Names of who gets data by a kind of consent. Internal to consents.';
